#include <algorithm>
#include <array>

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

/// Of bodies that are the file themselves.
constexpr std::array<std::string_view, 3> csv_types = {"text/csv", "application/csv", "text/plain"};

bool is_form(const Conn& conn) {
    return to_lower(conn.header("content-type")).starts_with("multipart/form-data");
}
bool is_csv(const Conn& conn) {
    const std::string type = to_lower(conn.header("content-type"));
    const std::string_view media = trim(std::string_view(type).substr(0, type.find(';')));
    return std::ranges::find(csv_types, media) != csv_types.end();
}

Response refused(const Conn& conn, const Error& error) {
    return bennu::error(conn, error, {.status = error.kind() == ErrorKind::invalid ? 422 : 0});
}

Task<Response> create(Conn conn) {
    allow_query(conn, {"filename"});
    std::string filename = conn.query<std::string>("filename").value_or("import.csv");
    if (!is_form(conn) && !is_csv(conn))
        co_return error_status(conn, 415, "unsupported",
                               "Send text/csv, or multipart/form-data with a field \"file\".");
    std::optional<Upload> file = conn.take_upload(is_form(conn) ? "file" : "body");
    if (!file && is_form(conn))
        co_return refused(conn,
                          Error::field("file", "required", "The form has no file field \"file\"."));
    if (file && !file->filename.empty()) filename = file->filename;
    // A request without a body sends no file, and an empty one is as good.
    const Scope& scope = conn.scope<Scope>();
    auto started = co_await (file ? imports::start_file(scope, std::move(filename), file->path)
                                  : imports::start(scope, std::move(filename), std::string()));
    if (!started) co_return refused(conn, started.error());
    conn.put_header("location", "/api/v1/imports/" + to_string(started->id));
    co_return json_data(conn, 202, *started);
}

Task<Result<Response>> show(Conn conn) {
    allow_query(conn, {});
    auto import = co_await require(imports::get(conn.scope<Scope>(), conn.param<Id>("id")));
    co_return json_data(conn, 200, import);
}

Task<Result<Response>> errors(Conn conn) {
    allow_query(conn, {});
    const Id id = conn.param<Id>("id");
    auto csv = co_await require(imports::errors_csv(conn.scope<Scope>(), id));
    co_return Response(200, "text/csv; charset=utf-8", std::move(csv))
        .with_header("content-disposition",
                     "attachment; filename=\"import-errors-" + to_string(id) + ".csv\"");
}

}  // namespace

void import_routes(RouteScope& api) {
    api.post("/imports", create,
             {.body_limit = body_limit,
              .uploads = UploadOptions{.file_bytes = imports::max_file,
                                       .body_types = {csv_types.begin(), csv_types.end()}}});
    api.get("/imports/:id", show);
    api.get("/imports/:id/errors.csv", errors);
}

}  // namespace assetronics::web
