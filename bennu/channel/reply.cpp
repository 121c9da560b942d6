#include "bennu/channel/reply.hpp"

namespace bennu {

Json error_payload(const Error& error) {
    Json payload = Json::object({{"reason", error.code()}});
    if (!error.message().empty()) payload.set("message", error.message());
    if (!error.fields().empty()) {
        Json& fields = payload.set("errors", Json::array());
        for (const FieldError& field : error.fields()) {
            fields.push_back(Json::object(
                {{"field", field.field}, {"code", field.code}, {"message", field.message}}));
        }
    }
    return payload;
}

}  // namespace bennu
