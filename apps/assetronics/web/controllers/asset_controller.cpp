#include "apps/assetronics/lib/assets/assets.hpp"

#include "apps/assetronics/web/controllers/batch_answers.hpp"
#include "apps/assetronics/web/controllers/controllers.hpp"
#include "apps/assetronics/web/params.hpp"
#include "apps/assetronics/web/render.hpp"

namespace assetronics::web {

using namespace bennu;
using assets::Asset;

namespace {

Response answer(const Conn& conn, int status, const Result<Asset>& asset) {
    if (!asset) return error(conn, asset.error());
    return render(conn, status, *asset);
}

Task<Response> index(Conn conn) {
    QueryParams params = query_params(conn);
    const Shape shape(public_record<Asset>(), params);
    auto page = co_await assets::list(conn.scope<Scope>(), std::move(params));
    if (!page) co_return list_error(conn, page.error());
    co_return render_page(conn, *page, shape.record());
}

Task<Response> show(Conn conn) {
    allow_query(conn, {});
    co_return answer(conn, 200, co_await assets::get(conn.scope<Scope>(), conn.param<Id>("id")));
}

Task<Response> create(Conn conn) {
    allow_query(conn, {});
    Json body = json_object(conn);
    if (body.contains("assets")) {
        Json::Array items = take_items(std::move(body), "assets");
        const Conn& here = conn;
        auto batch = co_await assets::create_all(here.scope<Scope>(), std::move(items));
        co_return batch_answer(conn, batch, {.all = 201, .none = 422});
    }
    co_return answer(conn, 201,
                     co_await assets::create(conn.scope<Scope>(), take_object(body, "asset")));
}

Task<Response> update(Conn conn) {
    allow_query(conn, {});
    const Id id = conn.param<Id>("id");
    co_return answer(
        conn, 200,
        co_await assets::update(conn.scope<Scope>(), id, take_object(json_object(conn), "asset")));
}

Task<Response> update_many(Conn conn) {
    allow_query(conn, {});
    Json::Array items = take_items(json_object(conn), "assets");
    check_ids(items);
    auto batch = co_await assets::update_all(conn.scope<Scope>(), std::move(items));
    co_return batch_answer(conn, batch, {.all = 200, .none = 422});
}

Task<Response> remove(Conn conn) {
    allow_query(conn, {});
    auto done = co_await assets::remove(conn.scope<Scope>(), conn.param<Id>("id"));
    if (!done) co_return error(conn, done.error());
    co_return no_content(conn);
}

Task<Response> remove_many(Conn conn) {
    allow_query(conn, {});
    std::vector<Id> ids = take_ids(json_object(conn));
    auto batch = co_await assets::remove_all(conn.scope<Scope>(), std::move(ids));
    co_return batch_answer(conn, batch, {.all = 200, .none = 404, .data = BatchData::ids});
}

Task<Response> assign(Conn conn) {
    allow_query(conn, {});
    const Id id = conn.param<Id>("id");
    co_return answer(conn, 200,
                     co_await assets::assign(conn.scope<Scope>(), id, json_object(conn)));
}

Task<Response> give_back(Conn conn) {
    allow_query(conn, {});
    const Id id = conn.param<Id>("id");
    co_return answer(conn, 200,
                     co_await assets::give_back(conn.scope<Scope>(), id, json_object(conn)));
}

/// Also of an asset that was deleted: the ledger keeps what happened.
Task<Response> history(Conn conn) {
    const PageRequest request = page_params(conn);
    const Id id = conn.param<Id>("id");
    auto page = co_await activity::of_asset(conn.scope<Scope>(), id, request);
    if (!page) co_return error(conn, page.error());
    if (page->total == 0) {
        auto asset = co_await assets::get(conn.scope<Scope>(), id);
        if (!asset) co_return error(conn, asset.error());
    }
    co_return render_page(conn, *page);
}

}  // namespace

void asset_routes(RouteScope& api) {
    // A batch of some ten thousand assets.
    const RouteOptions batch{.body_limit = 32 << 20};
    api.get("/assets", index);
    api.post("/assets", create, batch);
    api.patch("/assets", update_many, batch);
    api.delete_("/assets", remove_many, batch);
    api.get("/assets/:id", show);
    api.patch("/assets/:id", update);
    api.put("/assets/:id", update);
    api.delete_("/assets/:id", remove);
    api.post("/assets/:id/assign", assign);
    api.post("/assets/:id/return", give_back);
    api.get("/assets/:id/history", history);
}

}  // namespace assetronics::web
