#include "bennu/web/early_hints.hpp"

#include "bennu/web/conn_state.hpp"

namespace bennu {

void early_hints(const Conn& conn, std::initializer_list<std::string_view> links) {
    net::Headers headers;
    for (std::string_view link : links) headers.add("link", link);
    if (net::InterimWriter* interim = conn.state().request.interim.get();
        interim && !headers.empty())
        interim->write(103, headers);
}

}  // namespace bennu
