#include "apps/assetronics/lib/imports/imports.hpp"
#include "apps/assetronics/web/controllers/controllers.hpp"
#include "apps/assetronics/web/params.hpp"
#include "apps/assetronics/web/render.hpp"
#include "bennu/base/ascii.hpp"

namespace assetronics::web {

using namespace bennu;

namespace {

/// Room for the form around the file.
constexpr std::uint64_t body_limit = imports::max_file + 64 * 1024;

bool is_form(const Conn& conn) {
    return to_lower(conn.header("content-type")).starts_with("multipart/form-data");
}
bool is_csv(const Conn& conn) {
    const std::string type = to_lower(conn.header("content-type"));
    const std::string_view media = trim(std::string_view(type).substr(0, type.find(';')));
    return media == "text/csv" || media == "application/csv" || media == "text/plain";
}

Response refused(const Conn& conn, const Error& error) {
    return bennu::error(conn, error, {.status = error.kind() == ErrorKind::invalid ? 422 : 0});
}

Task<Response> create(Conn conn) {
    allow_query(conn, {"filename"});
    std::string filename = conn.query<std::string>("filename").value_or("import.csv");
    std::string csv;
    if (is_form(conn)) {
        std::optional<UploadedFile> file = conn.take_upload("file");
        if (!file)
            co_return refused(
                conn, Error::field("file", "required", "The form has no file field \"file\"."));
        if (!file->filename.empty()) filename = std::move(file->filename);
        csv = std::move(file->data);
    } else if (is_csv(conn)) {
        csv = conn.take_body();
    } else {
        co_return error_status(conn, 415, "unsupported",
                               "Send text/csv, or multipart/form-data with a field \"file\".");
    }
    auto started =
        co_await imports::start(conn.scope<Scope>(), std::move(filename), std::move(csv));
    if (!started) co_return refused(conn, started.error());
    conn.put_header("location", "/api/v1/imports/" + to_string(started->id));
    co_return json_data(conn, 202, *started);
}

Task<Response> show(Conn conn) {
    allow_query(conn, {});
    auto import = co_await imports::get(conn.scope<Scope>(), conn.param<Id>("id"));
    if (!import) co_return error(conn, import.error());
    co_return json_data(conn, 200, *import);
}

Task<Response> errors(Conn conn) {
    allow_query(conn, {});
    const Id id = conn.param<Id>("id");
    auto csv = co_await imports::errors_csv(conn.scope<Scope>(), id);
    if (!csv) co_return error(conn, csv.error());
    co_return Response(200, "text/csv; charset=utf-8", *std::move(csv))
        .with_header("content-disposition",
                     "attachment; filename=\"import-errors-" + to_string(id) + ".csv\"");
}

}  // namespace

void import_routes(RouteScope& api) {
    api.post("/imports", create, {.body_limit = body_limit});
    api.get("/imports/:id", show);
    api.get("/imports/:id/errors.csv", errors);
}

}  // namespace assetronics::web
