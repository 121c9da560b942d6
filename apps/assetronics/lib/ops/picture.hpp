#pragma once

#include <map>
#include <unordered_map>
#include <vector>

#include "apps/assetronics/lib/ops/ops.hpp"

namespace assetronics::ops {

/// A process of the tree as the page shows it.
struct Row {
    std::int64_t key = 0;     ///< stays while it has this place in the tree, whatever its pid
    std::int64_t parent = 0;  ///< 0: a root
    std::int64_t position = 0;
    std::string id;
    std::string pid;  ///< "" unless it runs
    std::string name;
    std::string type;
    std::string strategy;  ///< of a supervisor
    std::string state;
    std::string activity;
    std::int64_t restarts = 0;
    std::string last_exit;
    std::int64_t mailbox = 0;
    std::int64_t bytes = 0;
    std::int64_t runs = 0;  ///< without what watching it caused
    std::int64_t shard = 0;
    std::int64_t children = 0;  ///< may be more than have rows
    bool answers = true;        ///< has a mailbox, so that it can give signs of life
    bool practice = false;
    std::string guarded;  ///< why it may not be crashed; "" when it may
    std::optional<bennu::Timestamp> started_at;
    std::optional<bennu::Timestamp> retry_at;
};
BENNU_RECORD(Row, key, parent, position, id, pid, name, type, strategy, state, activity, restarts,
             last_exit, mailbox, bytes, runs, shard, children, answers, practice, guarded,
             started_at, retry_at)

/// What there is to see of the tree at one moment.
class Picture {
  public:
    struct Seen {
        Row row;
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

/// How the second list differs from the first, as members of a JSON object, each with a leading
/// comma: `added` (whole rows), `changed` (key and the fields that changed), `removed` (keys);
/// nothing for what is empty.
std::string difference(const std::vector<Picture::Seen>& before,
                       const std::vector<Picture::Seen>& after);

}  // namespace assetronics::ops
