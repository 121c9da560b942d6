#pragma once

#include <map>
#include <string>
#include <vector>

#include "apps/assetronics/lib/ops/messages.hpp"
#include "bennu/runtime/supervisor.hpp"

namespace assetronics::ops {

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
