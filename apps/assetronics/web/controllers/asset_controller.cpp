#include "apps/assetronics/lib/assets/assets.hpp"

#include "apps/assetronics/web/controllers/batch_answers.hpp"
#include "apps/assetronics/web/controllers/controllers.hpp"
#include "apps/assetronics/web/params.hpp"
#include "apps/assetronics/web/render.hpp"

namespace assetronics::web {

using namespace bennu;
using assets::Asset;

namespace {

Task<Response> index(Conn conn) {
    QueryParams params = query_params(conn);
    const Shape shape(public_record<Asset>(), params);
    auto page = co_await assets::list(conn.scope<Scope>(), std::move(params));
    if (!page) co_return list_error(conn, page.error());
    co_return render_page(conn, *page, shape.record());
}

Task<Result<Response>> show(Conn conn) {
    allow_query(conn, {});
    auto asset = co_await require(assets::get(conn.scope<Scope>(), conn.param<Id>("id")));
    co_return render(conn, 200, asset);
}

Task<Result<Response>> create(Conn conn) {
    allow_query(conn, {});
    Json body = json_object(conn);
    if (body.contains("assets")) {
        Json::Array items = take_items(std::move(body), "assets");
        const Conn& here = conn;
        auto batch = co_await assets::create_all(here.scope<Scope>(), std::move(items));
        co_return batch_answer(conn, batch, {.all = 201, .none = 422});
    }
    auto made = co_await require(assets::create(conn.scope<Scope>(), take_object(body, "asset")));
    co_return render(conn, 201, made);
}

Task<Result<Response>> update(Conn conn) {
    allow_query(conn, {});
    const Id id = conn.param<Id>("id");
    auto asset = co_await require(
        assets::update(conn.scope<Scope>(), id, take_object(json_object(conn), "asset")));
    co_return render(conn, 200, asset);
}

Task<Response> update_many(Conn conn) {
    allow_query(conn, {});
    Json::Array items = take_items(json_object(conn), "assets");
    check_ids(items);
    auto batch = co_await assets::update_all(conn.scope<Scope>(), std::move(items));
    co_return batch_answer(conn, batch, {.all = 200, .none = 422});
}

Task<Result<Response>> remove(Conn conn) {
    allow_query(conn, {});
    co_await require(assets::remove(conn.scope<Scope>(), conn.param<Id>("id")));
    co_return no_content(conn);
}

Task<Response> remove_many(Conn conn) {
    allow_query(conn, {});
    std::vector<Id> ids = take_ids(json_object(conn));
    auto batch = co_await assets::remove_all(conn.scope<Scope>(), std::move(ids));
    co_return batch_answer(conn, batch, {.all = 200, .none = 404, .data = BatchData::ids});
}

Task<Result<Response>> assign(Conn conn) {
    allow_query(conn, {});
    const Id id = conn.param<Id>("id");
    auto asset = co_await require(assets::assign(conn.scope<Scope>(), id, json_object(conn)));
    co_return render(conn, 200, asset);
}

Task<Result<Response>> give_back(Conn conn) {
    allow_query(conn, {});
    const Id id = conn.param<Id>("id");
    auto asset = co_await require(assets::give_back(conn.scope<Scope>(), id, json_object(conn)));
    co_return render(conn, 200, asset);
}

/// Also of an asset that was deleted: the ledger keeps what happened.
Task<Result<Response>> history(Conn conn) {
    const PageRequest request = page_params(conn);
    const Id id = conn.param<Id>("id");
    auto page = co_await require(activity::of_asset(conn.scope<Scope>(), id, request));
    if (page.total == 0) co_await require(assets::get(conn.scope<Scope>(), id));
    co_return render_page(conn, page);
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
