#include "bennu/runtime/registry.hpp"

#include <boost/unordered/unordered_flat_set.hpp>
#include <cstring>

#include "bennu/runtime/pool.hpp"

namespace bennu::detail {

namespace {

std::string_view text_of(std::string_view text) {
    return text;
}
std::string_view text_of(const RegisteredName* name) {
    return name->text();
}

struct HashOfText {
    using is_transparent = void;
    std::size_t operator()(const auto& name) const {
        return std::hash<std::string_view>()(text_of(name));
    }
};
struct SameText {
    using is_transparent = void;
    bool operator()(const auto& a, const auto& b) const { return text_of(a) == text_of(b); }
};

std::size_t bytes_of(std::size_t length) {
    return sizeof(RegisteredName) + length;
}

}  // namespace

/// Pointers only: at most half of such a table may be empty.
struct Registry::Names {
    boost::unordered_flat_set<RegisteredName*, HashOfText, SameText> all;
};

Registry::Registry() : names_(std::make_unique<Names>()) {}
Registry::~Registry() = default;

RegisteredName* Registry::add(std::string_view name, Pid pid) {
    std::lock_guard lock(mutex_);
    if (names_->all.contains(name)) return nullptr;
    auto* made = new (pool_allocate(bytes_of(name.size())))
        RegisteredName{pid, static_cast<std::uint32_t>(name.size())};
    std::memcpy(static_cast<void*>(made + 1), name.data(), name.size());
    try {
        names_->all.insert(made);
    } catch (...) {
        pool_free(made, bytes_of(name.size()));
        throw;
    }
    return made;
}

void Registry::remove(RegisteredName* name) {
    {
        std::lock_guard lock(mutex_);
        names_->all.erase(name);
    }
    pool_free(name, bytes_of(name->length));
}

Pid Registry::find(std::string_view name) const {
    std::lock_guard lock(mutex_);
    auto found = names_->all.find(name);
    return found == names_->all.end() ? Pid() : (*found)->pid;
}

}  // namespace bennu::detail
