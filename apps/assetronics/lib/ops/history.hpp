#pragma once

#include <map>
#include <string>
#include <vector>

#include "bennu/base/record.hpp"
#include "bennu/runtime/supervisor.hpp"

namespace assetronics::ops {

/// A restart as the page shows it.
struct RestartRow {
    std::string id;
    bennu::Timestamp at;
    std::string supervisor;  ///< its pid
    std::string child;
    std::string reason;
    std::vector<std::string> awaits;
    std::int64_t restarts = 0;
    double delay_ms = 0;
    std::string was;
    std::string pid;  ///< "" until it runs again
    double took_us = 0;
};
BENNU_RECORD(RestartRow, id, at, supervisor, child, reason, awaits, restarts, delay_ms, was, pid,
             took_us)

/// The latest restarts, and which of them were not told yet.
class History {
  public:
    /// Newest first.
    void look(const std::vector<bennu::RestartRecord>& records);
    const std::vector<RestartRow>& rows() const { return rows_; }
    /// Those that are new, or whose child runs again, since the last call.
    std::vector<RestartRow> take_news();

    static constexpr std::size_t most_rows = 100;

  private:
    std::vector<RestartRow> rows_;
    std::map<std::string, std::string> told_;  ///< id to pid
};

}  // namespace assetronics::ops
