#include "apps/assetronics/lib/ops/picture.hpp"

#include <algorithm>

#include "apps/assetronics/lib/ops/practice.hpp"
#include "bennu/base/record_json.hpp"

namespace assetronics::ops {

using namespace bennu;

namespace {

constexpr std::string_view why_root_is_guarded =
    "It is the root of the tree: its end is the end of the node, and the launcher would start "
    "another one.";

/// The key and what changed; null when nothing did.
Json changed_fields(const ProcessRow& before, const ProcessRow& after) {
    Json out;
    for (const Field& field : record_of<ProcessRow>().fields) {
        if (field_equal(field.of(&before), field.of(&after), *field.ops)) continue;
        if (out.is_null()) out = Json::object({{"key", after.key}});
        out.set(field.name, to_json_value(field.of(&after), *field.ops));
    }
    return out;
}

}  // namespace

void Picture::look(const std::vector<TreeNode>& roots, Timestamp at, const Watched& watched) {
    rows_.clear();
    before_ = std::exchange(places_, {});
    std::int64_t position = 0;
    for (const TreeNode& root : roots) add(root, position++, {}, at, watched);
    before_.clear();
}

const Picture::Seen* Picture::find(std::string_view pid) const {
    const auto found = std::ranges::find_if(
        rows_, [&](const Seen& seen) { return seen.pid && seen.row.pid == pid; });
    return found == rows_.end() ? nullptr : &*found;
}

const Picture::Seen* Picture::find_key(std::int64_t key) const {
    const auto found = std::ranges::find(rows_, key, [](const Seen& seen) { return seen.row.key; });
    return found == rows_.end() ? nullptr : &*found;
}

void Picture::add(const TreeNode& node, std::int64_t position, const Above& above, Timestamp at,
                  const Watched& watched) {
    if (rows_.size() == most_rows) return;
    const std::string pid = node.pid ? node.pid.to_string() : "";
    std::string path = above.path + "/" + node.id;
    // Children of a dynamic supervisor have ids in common.
    if (above.dynamic || node.id.empty()) path += pid;
    Place place;
    if (const auto known = before_.find(path); known != before_.end()) place = known->second;
    if (place.key == 0) place.key = ++last_key_;
    if (place.pid != node.pid || !place.started_at) {
        place.started_at.reset();
        if (node.pid && node.up > Duration::zero()) place.started_at = at - node.up;
    }
    place.pid = node.pid;

    ProcessRow row{.key = place.key, .parent = above.key, .position = position};
    row.id = node.id;
    row.pid = pid;
    row.name = node.name;
    row.type = node.type;
    row.strategy = node.strategy;
    row.state = to_string(node.state);
    if (node.pid) row.activity = to_string(node.activity);
    row.restarts = node.restarts;
    row.last_exit = node.last_exit;
    row.mailbox = node.mailbox;
    row.bytes = static_cast<std::int64_t>(node.bytes);
    row.runs = node.runs;
    if (const auto count = watched.find(node.pid); count != watched.end())
        row.runs = std::max(row.runs - std::int64_t{count->second}, std::int64_t{0});
    row.shard = node.pid.shard();
    row.children = static_cast<std::int64_t>(node.child_count);
    row.answers = node.type != "task";
    row.practice = above.practice || node.name == practice_name;
    if (above.key == 0) row.guarded = why_root_is_guarded;
    row.started_at = place.started_at;
    if (node.retry_in > Duration::zero()) row.retry_at = at + node.retry_in;

    const Above here{path, row.key, node.strategy == "dynamic", row.practice};
    rows_.push_back({std::move(row), node.pid});
    places_.emplace(std::move(path), place);
    std::int64_t below = 0;
    for (const TreeNode& child : node.children) add(child, below++, here, at, watched);
}

Difference difference(const std::vector<Picture::Seen>& before,
                      const std::vector<Picture::Seen>& after) {
    std::unordered_map<std::int64_t, const ProcessRow*> known;
    for (const Picture::Seen& seen : before) known.emplace(seen.row.key, &seen.row);
    Difference out;
    for (const Picture::Seen& seen : after) {
        const auto found = known.find(seen.row.key);
        if (found == known.end()) {
            out.added.push_back(seen.row);
            continue;
        }
        if (Json fields = changed_fields(*found->second, seen.row); !fields.is_null())
            out.changed.push_back(std::move(fields));
        known.erase(found);
    }
    for (const Picture::Seen& seen : before) {
        if (known.contains(seen.row.key)) out.removed.push_back(seen.row.key);
    }
    return out;
}

}  // namespace assetronics::ops
