#include <optional>
#include <string>
#include <utility>

#include "superd/base/log.h"
#include "superd/services/services.h"
#include "superd/services/tftp/reading.h"
#include "superd/services/tftp/remap.h"
#include "superd/services/tftp/writing.h"

namespace superd {

namespace {

using namespace tftp;

/// "192.0.2.7/", "2001:db8::1/".
std::string directory_of(const Endpoint& client) {
  const auto text = client.unmapped().text();
  const auto address = std::string_view(text).substr(0, text.rfind(':'));
  const bool has_brackets = address.starts_with('[');
  return std::string(has_brackets ? address.substr(1, address.size() - 2) : address) + "/";
}

/// TFTP (RFC 1350, 2347, 2348, 2349, 7440), what boards, telephones and PXE boot speak: files out of a tree, and into one
/// where that is set. Whoever asks may be forged: the first packet of a file is all that one can be made to be sent, twice.
class Tftp final : public Service {
 public:
  Tftp(const FileSettings& settings, std::shared_ptr<ServedFiles> files, std::optional<Tree> uploads, NameRules rules)
      : settings_(settings), files_(std::move(files)), uploads_(std::move(uploads)), rules_(std::move(rules)) {}

  task<> serve(Datagram& request) override {
    const auto asked = parse_request(request.bytes());
    if (!asked) {
      refuse(request, asked.error());
      co_return;
    }
    const Endpoint client = request.from().unmapped();
    if (!transfers_.begin(client, request.now())) co_return;
    // Ends with the handler, however that ends.
    struct Entry {
      Transfers& transfers;
      const Endpoint& client;
      ~Entry() { transfers.end(client); }
    };
    const Entry entry{transfers_, client};
    if (asked->writes)
      co_await receive_file(request, *asked);
    else
      co_await send_file(request, *asked);
  }

 private:
  static void refuse(Datagram& request, const tftp::Refusal& why) {
    request.reply(error_packet(why.code, why.text));
    if (!log_enabled(Severity::debug)) return;
    log_event(Severity::debug, "refused",
              {
                  {"service", request.hosted().name},
                  {"client",  request.from().text()},
                  {"why",     why.text             }
    });
  }
  static void refuse(Datagram& request, FileFault fault) { refuse(request, refusal_of(fault)); }

  static void note_end(const Datagram& request, std::string_view what, const std::string& name, std::uint64_t bytes) {
    if (!log_enabled(Severity::debug)) return;
    log_event(
        Severity::debug, what,
        {
            {"service", request.hosted().name},
            {"client",  request.from().text()},
            {"file",    name                 },
            {"bytes",   bytes                }
    });
  }

  [[nodiscard]] std::expected<std::string, FileFault> name_for(const Datagram& request, const Request& asked) const {
    const auto name = rules_.apply(asked.name, {.writes = asked.writes, .client = request.from()});
    if (!name) return name;
    return clean_name(*name);
  }

  task<> send_file(Datagram& request, const Request& asked) {
    auto name = name_for(request, asked);
    if (!name) {
      refuse(request, name.error());
      co_return;
    }
    std::string clean = *name;
    FileFound found = std::unexpected(FileFault::not_found);
    if (settings_.client_directories) {
      clean.insert(0, directory_of(request.from()));
      found = co_await files_->use(request, clean);
      if (!found) clean = *name;
    }
    if (!found) found = co_await files_->use(request, clean);
    if (!found) {
      refuse(request, found.error());
      co_return;
    }
    const auto grant = grant_reading(asked, settings_, found->facts.size);
    const bool asks_each_time = settings_.table == TableKind::chapter;
    Reading reading(request, transfers_, grant, {*files_, clean, *found, asked.is_text, asks_each_time});
    co_await reading.run();
    note_end(request, "file sent", clean, reading.bytes());
  }

  task<> receive_file(Datagram& request, const Request& asked) {
    const auto name = name_for(request, asked);
    if (!uploads_ || !name) {
      refuse(request, FileFault::forbidden);
      co_return;
    }
    if (asked.options.size.value_or(0) > settings_.upload_size) {
      refuse(request, FileFault::no_space);
      co_return;
    }
    std::optional<std::expected<Upload, FileFault>> upload;
    const auto begin = [&] {
      const Upload::Manner manner{.overwrite = settings_.overwrite, .most = settings_.upload_size};
      upload.emplace(Upload::begin(*uploads_, *name, manner));
    };
    const bool goes_on = co_await request.run_in_background(begin);
    if (!goes_on || !*upload) {
      refuse(request, goes_on ? upload->error() : FileFault::cut);
      co_return;
    }
    const auto grant = grant_writing(asked, settings_);
    Writing writing(request, transfers_, grant, asked.is_text, std::move(**upload));
    co_await writing.run();
    note_end(request, "file received", *name, writing.bytes());
  }

  const FileSettings settings_;
  const std::shared_ptr<ServedFiles> files_;
  const std::optional<Tree> uploads_;
  const NameRules rules_;
  Transfers transfers_;
};

}  // namespace

Result<std::shared_ptr<Service>> make_tftp(const HandlerSettings& told) {
  const auto& settings = told.files;
  auto files = ServedFiles::open(settings);
  if (!files) return std::unexpected(files.error());
  auto uploads = open_uploads(settings);
  if (!uploads) return std::unexpected(uploads.error());
  auto rules = NameRules::parse(settings.remap);
  if (!rules) return std::unexpected(rules.error());
  return std::make_shared<Tftp>(settings, std::move(*files), std::move(*uploads), std::move(*rules));
}

}  // namespace superd
