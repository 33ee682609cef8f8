#pragma once

#include <span>
#include <string_view>

#include "superd/base/counter.h"

namespace superd {

/// What one service has done since it began. Threads add without locks; reading is exact for each number, not across
/// them. Every counter has its row in counter_table(), from which all that is shown is made.
struct Counters {
  Counter accepted;            ///< connections taken from a backlog
  Counter served;              ///< conversations that came to their end by themselves, datagrams included
  Counter received;            ///< datagrams that arrived
  Counter answered;            ///< datagrams that left
  Counter bytes_in;            ///< payload bytes from clients
  Counter bytes_out;           ///< payload bytes the kernel took for clients
  Counter full;                ///< times that a listener stopped because the level was reached
  Counter overloaded;          ///< times that a listener waited because of max_load
  Counter refused_level;       ///< connections refused because the level was reached
  Counter refused_client;      ///< connections refused because of per_client
  Counter refused_prefix;      ///< connections refused because of per_prefix
  Counter refused_rate;        ///< connections refused because of client_rate or prefix_rate
  Counter refused_access;      ///< connections refused, and datagrams dropped, because of allow or deny
  Counter refused_hours;       ///< the same because of hours
  Counter refused_load;        ///< the same because of max_load
  Counter delayed;             ///< connections over their rate that waited until they were within it
  Counter tarpitted;           ///< refused connections that were held instead of closed
  Counter tarpit_full;         ///< refused connections that were reset because the tarpit was full
  Counter timed_out_idle;      ///< clients silent for `idle`
  Counter timed_out_slow;      ///< clients below min_rate
  Counter timed_out_total;     ///< conversations longer than `total`
  Counter timed_out_linger;    ///< clients that went on sending after the end
  Counter reset_by_client;     ///< connections that the client or the network broke off
  Counter cut;                 ///< conversations ended by our shutdown
  Counter failed;              ///< conversations ended by an exception in the handler
  Counter crashed;             ///< processes that died with their conversation, by a signal or an exit code
  Counter held_back;           ///< times that a dead worker was not replaced at once, because they die again and again
  Counter dropped_source;      ///< datagrams from a source that is never answered (multicast, port 0, our own, an echo)
  Counter dropped_rate;        ///< datagrams over answer_rate
  Counter dropped_client;      ///< datagrams over per_client
  Counter dropped_queue;       ///< datagrams over the bound of the queue
  Counter dropped_truncated;   ///< datagrams that were longer than a datagram can be told to be
  Counter suppressed_answer;   ///< answers over `amplification`
  Counter failed_answer;       ///< answers that the kernel did not take
  Counter kernel_drops;        ///< datagrams that the kernel dropped because the socket's buffer was full
  Counter out_of_descriptors;  ///< times that a listener paused for want of descriptors
  Counter out_of_memory;       ///< times that a listener paused for want of memory
  Counter out_of_threads;      ///< times that a client waited because no thread or process could be made
  Counter engine_full;         ///< connections that the engine cannot hold (select beyond 1023)
  Counter rows_full;           ///< workers that found no row on the scoreboard
  Counter unlogged;            ///< lines over log_rate, which were left out of the log
  Counter failed_accept;       ///< connections that were gone, or forbidden, before they were accepted
  Counter dropped_key;         ///< datagrams without the key that their sender would have been told
  Counter dropped_malformed;   ///< datagrams that the service's protocol does not have
  Counter file_hits;           ///< uses of files that were open already
  Counter file_misses;         ///< uses of files that had to be opened
  Counter file_changes;        ///< names that stood for another file than before
  Counter file_evictions;      ///< open files that were closed to make room
  Counter file_idle;           ///< open files that were closed because nobody had used them for long
  Counter file_refusals;       ///< files that were asked for and are not there, or not for everybody
  Counter session_evictions;   ///< clients that were forgotten to make room
  Counter dropped_checksum;    ///< packets that were damaged on their way
  Counter dropped_address;     ///< packets to an address that the service does not answer for
  Counter icmp_requests;       ///< pings that came
  Counter icmp_traces;   ///< pings that came with the last of their time to live, as those of who traces the way here
  Counter icmp_replies;  ///< answers to pings
  Counter icmp_unreachable;     ///< reports that something cannot be reached
  Counter icmp_exceeded;        ///< reports that a time to live was over on the way
  Counter icmp_others;          ///< messages of ICMP of all other types
  Counter announced;            ///< datagrams that were sent to groups unasked
  Counter failed_announcement;  ///< those that the kernel did not take
  Counter group_joins;          ///< reports that a host wants a group
  Counter group_leaves;         ///< reports that it does not any more
  Counter group_queries;        ///< questions of routers who wants which group
};

struct CounterEntry {
  std::string_view name;
  Counter Counters::* counter;
};

[[nodiscard]] std::span<const CounterEntry> counter_table() noexcept;

}  // namespace superd
