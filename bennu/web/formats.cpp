#include "bennu/web/formats.hpp"

#include <algorithm>
#include <stdexcept>

#include "bennu/web/content_type.hpp"
#include "bennu/web/negotiation.hpp"

namespace bennu {

namespace {

struct Offer {
    std::string format;
    std::string type;
    Action action;
};

std::string media_type_of(const std::string& format) {
    if (format.contains('/')) return format;
    std::string_view type = content_type_of("x." + format);
    if (type == content_type_of(""))
        throw std::invalid_argument("no media type is known for the format " + format);
    return std::string(type.substr(0, type.find(';')));
}

const Offer* wanted(const Conn& conn, const std::vector<Offer>& offers) {
    if (const Json* named = conn.query().find("_format")) {
        auto found = std::ranges::find_if(offers, [&](const Offer& each) {
            return named->is_string() && each.format == named->as_string();
        });
        return found == offers.end() ? nullptr : &*found;
    }
    const Offer* best = nullptr;
    int best_quality = 0;
    for (const Offer& each : offers) {
        int quality = media_quality(conn.header("accept"), each.type);
        if (quality > best_quality) best = &each;
        best_quality = std::max(best_quality, quality);
    }
    return best;
}

Response not_acceptable(const Conn& conn, const std::vector<Offer>& offers) {
    std::string there;
    for (const Offer& each : offers) there += (there.empty() ? "" : ", ") + each.format;
    return error_status(conn, 406, "not_acceptable",
                        "There is no such format of this; there are: " + there + ".");
}

}  // namespace

Action by_format(std::vector<ActionFor> actions) {
    if (actions.empty()) throw std::invalid_argument("an action for at least one format");
    std::vector<Offer> offers;
    for (ActionFor& each : actions) {
        if (std::ranges::find(offers, each.format, &Offer::format) != offers.end())
            throw std::invalid_argument("two actions for the format " + each.format);
        std::string type = media_type_of(each.format);
        offers.push_back({std::move(each.format), std::move(type), std::move(each.action)});
    }
    return Action([offers = std::move(offers)](Conn conn) -> Task<Response> {
        const Offer* offer = wanted(conn, offers);
        if (!offer) co_return not_acceptable(conn, offers);
        conn.add_header("vary", "accept");
        const Action action = offer->action;
        if (!action.suspends()) co_return action.run(conn);
        co_return co_await action.start(conn);
    });
}

}  // namespace bennu
