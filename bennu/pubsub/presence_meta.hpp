#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bennu/base/shared_text.hpp"

namespace bennu::presence::detail {

/// One entry under a key: 32 bytes, and its fields if it has any.
struct Meta {
    std::uint64_t id = 0;
    std::array<char, 16> ref{};
    SharedText fields;  ///< `"a":1,` and what else comes before `phx_ref`

    std::string text() const {
        std::string out = "{";
        out.append(fields.view()).append("\"phx_ref\":\"").append(ref.data(), ref.size());
        return out.append("\"}");
    }
};

/// The entries under one key, in the order in which they joined. Nearly always one, which stands
/// here; others are somewhere else.
class MetaList {
  public:
    bool empty() const { return first_.id == 0; }
    void add(Meta meta) {
        if (empty()) {
            first_ = std::move(meta);
        } else {
            if (!more_) more_ = std::make_unique<std::vector<Meta>>();
            more_->push_back(std::move(meta));
        }
    }
    /// Null: there is none of that id.
    const Meta* find(std::uint64_t id) const {
        const Meta* found = nullptr;
        for_each([&](const Meta& meta) {
            if (meta.id == id) found = &meta;
        });
        return found;
    }
    std::optional<Meta> take(std::uint64_t id) {
        Meta* found = const_cast<Meta*>(find(id));
        if (!found) return std::nullopt;
        Meta taken = std::move(*found);
        if (!more_) {
            first_ = {};
            return taken;
        }
        if (found == &first_) {
            first_ = std::move(more_->front());
            found = &more_->front();
        }
        more_->erase(more_->begin() + (found - more_->data()));
        if (more_->empty()) more_.reset();
        return taken;
    }
    template <typename Each>
    void for_each(Each each) const {
        if (empty()) return;
        each(first_);
        if (more_) std::ranges::for_each(*more_, each);
    }

  private:
    Meta first_;
    std::unique_ptr<std::vector<Meta>> more_;
};

}  // namespace bennu::presence::detail
