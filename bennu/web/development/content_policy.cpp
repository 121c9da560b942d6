#include "bennu/web/development/content_policy.hpp"

#include <utility>
#include <vector>

#include "bennu/base/ascii.hpp"

namespace bennu {

namespace {

using Directives = std::vector<std::pair<std::string, std::string>>;

Directives parse(std::string_view policy) {
    Directives directives;
    while (!policy.empty()) {
        const std::string_view one = trim(policy.substr(0, policy.find(';')));
        policy.remove_prefix(std::min(policy.size(), policy.find(';')));
        if (!policy.empty()) policy.remove_prefix(1);
        if (one.empty()) continue;
        const std::size_t space = std::min(one.size(), one.find(' '));
        directives.emplace_back(to_lower(one.substr(0, space)), trim(one.substr(space)));
    }
    return directives;
}

std::string* find(Directives& directives, std::string_view name) {
    for (auto& [present, sources] : directives) {
        if (present == name) return &sources;
    }
    return nullptr;
}

/// Adds `'self'` to the directive that rules over `name`. Without one everything is allowed.
void allow(Directives& directives, std::string_view name) {
    std::string* sources = find(directives, name);
    if (!sources) {
        const std::string* general = find(directives, "default-src");
        if (!general) return;
        sources = &directives.emplace_back(name, std::string(*general)).second;
    }
    if (*sources == "'none'") sources->clear();
    if (sources->contains("'self'")) return;
    *sources += sources->empty() ? "'self'" : " 'self'";
}

}  // namespace

std::string allow_own_site(std::string_view policy) {
    Directives directives = parse(policy);
    const bool split = find(directives, "script-src-elem") != nullptr;
    allow(directives, split ? "script-src-elem" : "script-src");
    allow(directives, "connect-src");
    std::string out;
    for (const auto& [name, sources] : directives) {
        out += (out.empty() ? "" : "; ") + name;
        if (!sources.empty()) out += " " + sources;
    }
    return out;
}

std::string_view script_nonce(std::string_view policy) {
    constexpr std::string_view mark = "'nonce-";
    const std::size_t at = policy.find(mark);
    if (at == std::string_view::npos) return {};
    const std::string_view rest = policy.substr(at + mark.size());
    return rest.substr(0, rest.find('\''));
}

}  // namespace bennu
