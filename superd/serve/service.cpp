#include "superd/serve/service.h"

#include "superd/base/error.h"

namespace superd {

// Configurations that would lead here are refused when they are read.
task<> Service::serve(Connection&) { broken("a service without streams was given a connection"); }
task<> Service::serve(Datagram&) { broken("a service without datagrams was given one"); }

}  // namespace superd
