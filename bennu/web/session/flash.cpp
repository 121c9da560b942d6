#include "bennu/web/session/flash.hpp"

namespace bennu {

class SessionFlash {
  public:
    static void put(Session& session, std::string_view kind, std::string_view message) {
        session.change().flash.set(kind, message);
    }
    static std::string_view show(Session& session, std::string_view kind) {
        const Json& message = session.data().flash[kind];
        if (session.data().flash.size() > 0) session.flash_shown_ = true;
        return message.is_string() ? message.as_string() : std::string_view();
    }
};

void put_flash(const Conn& conn, std::string_view kind, std::string_view message) {
    SessionFlash::put(conn.session(), kind, message);
}

std::string_view flash(const Conn& conn, std::string_view kind) {
    return SessionFlash::show(conn.session(), kind);
}

}  // namespace bennu
