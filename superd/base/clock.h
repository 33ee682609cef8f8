#pragma once

#include <chrono>

namespace superd {

using Millis = std::chrono::milliseconds;
using Seconds = std::chrono::seconds;

/// CLOCK_MONOTONIC: all deadlines are kept on it, so that a jump of the wall clock ends nobody's conversation.
using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;

constexpr Time never = Time::max();

}  // namespace superd
