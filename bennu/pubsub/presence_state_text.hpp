#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "bennu/base/json.hpp"
#include "bennu/base/shared.hpp"

namespace bennu::presence::detail {

/// What a fetch has brought, by key: the fields that go beside the metas, `,"user":{…}`.
using FetchedText = std::unordered_map<std::string, std::string>;

/// Appends `"key":{"metas":[…],…}` to an object that is being written.
void append_key(std::string& out, std::string_view key, std::string_view metas,
                const FetchedText* fetched);

/// Keys of a topic.
class KeySet {
  public:
    void insert(std::string_view key) { keys_.emplace(key); }
    bool contains(std::string_view key) const { return keys_.contains(key); }
    std::size_t size() const { return keys_.size(); }
    bool empty() const { return keys_.empty(); }
    void clear() { keys_ = {}; }
    auto begin() const { return keys_.begin(); }
    auto end() const { return keys_.end(); }

  private:
    struct Hash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    std::unordered_set<std::string, Hash, std::equal_to<>> keys_;
};

/// A topic's state as JSON, and where each key's part of it ends: whoever reads it need not parse
/// all of it in one turn, and the next state is this one with few parts written anew.
class StateText {
  public:
    void add(std::string_view key, std::string_view metas, const FetchedText* fetched);
    void finish() { text_ += '}'; }
    /// The parts of all keys but these, to be gone on with.
    StateText without(const KeySet& keys) const;

    const std::string& text() const { return text_; }
    std::size_t keys() const { return parts_.size(); }
    /// How many parts were encoded for it; the others were copied.
    std::size_t encoded() const { return encoded_; }
    /// `"key":{…}`
    std::string_view part(std::size_t index) const;

  private:
    struct Part {
        std::uint32_t end;
        std::uint32_t key;  ///< where it is in `keys_`
    };
    std::string_view key(std::size_t index) const;

    std::string text_ = "{";
    std::string keys_;  ///< as they are, one behind the other
    std::vector<Part> parts_;
    std::size_t encoded_ = 0;
};

/// For a loop over many that lets everything else on its shard run now and then.
class Pace {
  public:
    /// So much text is read or written in one turn: a fraction of a millisecond.
    static constexpr std::size_t bytes_a_turn = 32 * 1024;
    /// Adds the size of what was done last; true when it is time to yield.
    bool spent(std::size_t bytes) {
        if ((done_ += bytes) < bytes_a_turn) return false;
        done_ = 0;
        return true;
    }

  private:
    std::size_t done_ = 0;
};

/// Reads a state key by key.
///
///     while (reader.more()) {
///         JsonMember one = reader.next();
///         …
///         if (reader.pause_due()) co_await yield_now();
///     }
class StateReader {
  public:
    explicit StateReader(Shared<StateText> state) : state_(std::move(state)) {}
    std::size_t keys() const { return state_->keys(); }
    bool more() const { return index_ < keys(); }
    /// `{"metas": […], …}` under its key.
    JsonMember next();
    bool pause_due() { return more() && pace_.spent(state_->part(index_ - 1).size()); }

  private:
    Shared<StateText> state_;
    std::size_t index_ = 0;
    Pace pace_;
};

}  // namespace bennu::presence::detail
