#include "bennu/web/method_override.hpp"

#include "bennu/base/ascii.hpp"
#include "bennu/web/conn_state.hpp"

namespace bennu {

bool MethodOverride::needs_body(const Conn& conn) const {
    // Where no route takes the request the endpoint has seen to a form that can change that; a
    // proxy may still lead it to one.
    const bool routed = conn.route() || conn.state().reroute;
    return routed && conn.method() == net::Method::post && conn.has_form();
}

void MethodOverride::before(const Conn& conn) const {
    if (conn.method() != net::Method::post || !conn.has_form()) return;
    // What is wrong with a form is the action's to say.
    Result<const Json*> form = conn.try_body_params();
    const Json* wanted = form ? (*form)->find("_method") : nullptr;
    if (!wanted || !wanted->is_string()) return;
    auto& state = conn.state();
    for (net::Method method : {net::Method::put, net::Method::patch, net::Method::delete_}) {
        if (!iequals(wanted->as_string(), net::to_string(method))) continue;
        state.request.head.method = method;
        state.reroute = true;
    }
}

}  // namespace bennu
