#include "apps/assetronics/web/pages.hpp"

#include "apps/assetronics/web/web.hpp"
#include "bennu/web/negotiation.hpp"
#include "embedded/static_files.hpp"

namespace assetronics::web {

using namespace bennu;

namespace {

constexpr std::string_view not_built =
    "<!doctype html><title>Assetronics</title><p>The pages are not built: ./run builds them. The "
    "API is at <a href=\"/api/v1/assets\">/api/v1/assets</a>.";

}  // namespace

Result<StaticFiles> load_pages(const std::string& folder) {
    if (!folder.empty()) return StaticFiles::directory(folder);
    return StaticFiles::embedded(static_files());
}

void page_routes(RouteScope& scope, StaticFiles pages) {
    scope.get("/", [](Conn conn) { return redirect(conn, "/t/demo/assets"); });
    for (const char* path : {"/t/*path", "/ops/*path"}) {
        scope.get(path, [pages](Conn conn) {
            if (media_quality(conn.header("accept"), "text/html") == 0) return not_found(conn);
            const StaticFiles::File* index = pages.find("index.html");
            if (!index) return html(conn, 200, std::string(not_built));
            return StaticFiles::serve(conn, *index);
        });
    }
    scope.files("/", std::move(pages));
}

}  // namespace assetronics::web
