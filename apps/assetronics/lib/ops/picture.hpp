#pragma once

#include <map>
#include <unordered_map>
#include <vector>

#include "apps/assetronics/lib/ops/ops.hpp"

namespace assetronics::ops {

/// What there is to see of the tree at one moment.
class Picture {
  public:
    struct Seen {
        ProcessRow row;
        bennu::Pid pid;
    };
    /// How often each process was entered only to be watched.
    using Watched = std::unordered_map<bennu::Pid, std::uint32_t>;

    /// Replaces the picture. A process keeps its row's key while it has the same place.
    void look(const std::vector<bennu::TreeNode>& roots, bennu::Timestamp at,
              const Watched& watched);

    const std::vector<Seen>& rows() const { return rows_; }
    /// Null when no row has this pid.
    const Seen* find(std::string_view pid) const;
    const Seen* find_key(std::int64_t key) const;

    static constexpr std::size_t most_rows = 200;

  private:
    struct Place {
        std::int64_t key = 0;
        bennu::Pid pid;
        std::optional<bennu::Timestamp> started_at;
    };
    struct Above {
        std::string path;
        std::int64_t key = 0;
        bool dynamic = false;
        bool practice = false;
    };
    void add(const bennu::TreeNode& node, std::int64_t position, const Above& above,
             bennu::Timestamp at, const Watched& watched);

    std::vector<Seen> rows_;
    std::map<std::string, Place> places_, before_;
    std::int64_t last_key_ = 0;
};

/// How one list of rows differs from the one before.
struct Difference {
    std::vector<ProcessRow> added;
    bennu::Json::Array changed;  ///< key and the fields that changed
    std::vector<std::int64_t> removed;
};
Difference difference(const std::vector<Picture::Seen>& before,
                      const std::vector<Picture::Seen>& after);

}  // namespace assetronics::ops
