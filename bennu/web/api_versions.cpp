#include "bennu/web/api_versions.hpp"

#include <algorithm>
#include <stdexcept>

#include "bennu/base/ascii.hpp"
#include "bennu/web/router.hpp"

namespace bennu {

namespace {

/// The parameter of the first type in an Accept header that has it.
std::optional<std::string> accept_parameter(std::string_view accept, std::string_view name) {
    while (!accept.empty()) {
        std::string_view range = accept.substr(0, accept.find(','));
        accept.remove_prefix(std::min(accept.size(), range.size() + 1));
        range.remove_prefix(std::min(range.size(), range.find(';')));
        while (!range.empty()) {
            range.remove_prefix(1);
            std::string_view pair = range.substr(0, range.find(';'));
            range.remove_prefix(pair.size());
            const std::size_t equals = pair.find('=');
            if (equals == std::string_view::npos || !iequals(trim(pair.substr(0, equals)), name))
                continue;
            std::string_view value = trim(pair.substr(equals + 1));
            if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"'))
                value = value.substr(1, value.size() - 2);
            return std::string(value);
        }
    }
    return std::nullopt;
}

bool has_parameter(const Conn& conn, std::string_view name) {
    return conn.route() &&
           std::ranges::find(conn.route()->params, name) != conn.route()->params.end();
}

std::size_t place_of(const std::vector<std::string>& versions, std::string_view version) {
    return static_cast<std::size_t>(std::ranges::find(versions, version) - versions.begin());
}

Response unknown(const Conn& conn, int status, const ApiVersionOptions& options) {
    std::string known;
    for (const std::string& version : options.versions)
        known += (known.empty() ? "" : ", ") + version;
    return error_status(conn, status, "unknown_version",
                        "There is no such version of this API; there are: " + known + ".");
}

}  // namespace

ApiVersions::ApiVersions(ApiVersionOptions options) {
    if (options.versions.empty()) throw std::invalid_argument("an API has at least one version");
    if (!options.fallback.empty() &&
        place_of(options.versions, options.fallback) == options.versions.size())
        throw std::invalid_argument("the fallback is no version: " + options.fallback);
    if (!options.header.empty()) vary_ = options.header;
    if (!options.accept_parameter.empty()) vary_ += vary_.empty() ? "accept" : ", accept";
    options_ = std::make_shared<const ApiVersionOptions>(std::move(options));
}

detail::PlugResult ApiVersions::before(const Conn& conn) const {
    const ApiVersionOptions& options = *options_;
    std::string asked;
    int refusal = 400;
    if (!options.path_parameter.empty() && has_parameter(conn, options.path_parameter)) {
        std::string_view text = conn.param(options.path_parameter);
        if (text.starts_with('v')) text.remove_prefix(1);
        asked = text;
        refusal = 404;
    } else if (!options.header.empty() && conn.head().headers.contains(options.header)) {
        asked = trim(conn.header(options.header));
    } else if (!options.accept_parameter.empty()) {
        auto found = accept_parameter(conn.header("accept"), options.accept_parameter);
        if (found) refusal = 406;
        asked = found.value_or("");
    }
    if (asked.empty() && refusal == 400 && !conn.head().headers.contains(options.header)) {
        if (options.fallback.empty())
            return error_status(conn, 400, "version_missing",
                                "This API needs to know which version is meant.");
        asked = options.fallback;
    }
    const std::size_t index = place_of(options.versions, asked);
    if (index == options.versions.size()) return unknown(conn, refusal, options);
    conn.assign(ApiVersion{std::move(asked), index});
    return std::nullopt;
}

void ApiVersions::after(const Conn& conn, Response& response) const {
    const ApiVersion* version = conn.find<ApiVersion>();
    if (version && !response.headers.contains("api-version"))
        response.headers.set("api-version", version->name);
    const bool in_path =
        !options_->path_parameter.empty() && has_parameter(conn, options_->path_parameter);
    if (!in_path && !vary_.empty()) response.headers.add("vary", vary_);
}

const ApiVersion& api_version(const Conn& conn) {
    return conn.get<ApiVersion>();
}

Action by_version(std::vector<std::string> versions, std::vector<ActionSince> actions) {
    std::vector<Action> chosen(versions.size());
    for (ActionSince& since : actions) {
        const std::size_t first = place_of(versions, since.version);
        if (first == versions.size())
            throw std::invalid_argument("an action of a version that is none: " + since.version);
        for (std::size_t i = first; i < versions.size(); ++i) {
            const bool newer = std::ranges::any_of(actions, [&](const ActionSince& other) {
                const std::size_t place = place_of(versions, other.version);
                return place > first && place <= i;
            });
            if (!newer) chosen[i] = since.action;
        }
    }
    return Action([chosen = std::move(chosen)](Conn conn) -> Task<Response> {
        const std::size_t index = api_version(conn).index;
        if (index >= chosen.size() || !chosen[index]) co_return not_found(conn);
        const Action action = chosen[index];
        if (!action.suspends()) co_return action.run(conn);
        co_return co_await action.start(conn);
    });
}

}  // namespace bennu
