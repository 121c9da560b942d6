#include "apps/assetronics/test/api_testing.hpp"

#include <cstdlib>
#include <filesystem>

#include "apps/assetronics/lib/database/database.hpp"
#include "apps/assetronics/lib/demo/demo.hpp"
#include "apps/assetronics/lib/devices/devices.hpp"
#include "apps/assetronics/lib/imports/imports.hpp"
#include "apps/assetronics/lib/ops/ops.hpp"
#include "apps/assetronics/web/web.hpp"
#include "bennu/runtime/runtime.hpp"

namespace assetronics::testing {

using namespace bennu;

TempFolder::TempFolder() {
    std::string pattern = std::filesystem::temp_directory_path() / "assetronics-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
}

TempFolder::~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

namespace {

void fail_with_a_fault() {
    throw std::runtime_error("a handler's mistake");
}

/// The product's routes and one that crashes.
std::shared_ptr<Router> test_router(const Repo& repo, const std::string& pages) {
    auto ready = std::make_shared<ReadyFlag>();
    ready->set(true);
    Result<StaticFiles> files = web::load_pages(pages);
    auto router = web::make_router({.repo = repo, .ready = ready, .pages = files.value()});
    router->get("/crash", [](Conn conn) {
        fail_with_a_fault();
        return no_content(conn);
    });
    return router;
}

Task<Result<>> serve_test(ApiOptions options, std::shared_ptr<ApiBody> body) {
    Repo repo = co_await require(database::open(options.data_dir));
    co_await require(migrate(repo, database::migrations()));
    if (options.seeded) {
        co_await require(demo::seed(repo, Timestamp{1'780'000'000'000}));
    } else {
        co_await require(tenants::ensure(repo, {.slug = "demo", .name = "Demo"}));
    }
    co_await require(tenants::ensure(repo, {.slug = "other", .name = "Other"}));
    std::vector<ChildSpec> children;
    children.push_back(imports::child_imports(repo, options.data_dir + "/imports"));
    children.push_back(devices::child_devices(repo));
    children.push_back(ops::child_ops());
    auto tree = co_await require(supervise({.name = "assetronics"}, std::move(children)));
    const Api api(repo, TestClient(test_router(repo, options.pages)));
    Result<> done = co_await (*body)(api);
    co_await stop_and_wait(tree.pid(), std::chrono::seconds(5));
    co_await repo.close();
    co_return done;
}

/// Counts answers, and gives them to who waits for all of them.
struct Gather : Server {
    struct Answer {
        int status;
    };
    struct All {
        using Reply = std::vector<int>;
    };
    explicit Gather(std::size_t count) : expected(count) {}
    void handle(Answer answer) {
        statuses.push_back(answer.status);
        tell();
    }
    void handle(All, From<std::vector<int>> from) {
        waiting = std::move(from);
        tell();
    }
    void tell() {
        if (waiting && statuses.size() == expected) waiting.reply(std::move(statuses));
    }
    std::size_t expected;
    std::vector<int> statuses;
    From<std::vector<int>> waiting;
};

}  // namespace

void with_api(ApiBody body, ApiOptions options) {
    TempFolder folder;
    if (options.data_dir.empty()) options.data_dir = folder.path();
    auto shared = std::make_shared<ApiBody>(std::move(body));
    const int status =
        run({.shards = 2, .handle_signals = false},
            [options, shared] [[clang::coro_wrapper]] () { return serve_test(options, shared); });
    EXPECT_EQ(status, 0);
}

Task<TestResponse> Api::send(net::Method method, std::string target, Json body,
                             std::string tenant) const {
    TestRequest request{.method = method, .target = "/api/v1" + target};
    request.headers = {{"x-tenant-id", std::move(tenant)}, {"accept", "application/json"}};
    if (!body.is_null()) {
        request.headers.emplace_back("content-type", "application/json");
        request.body = to_json(body);
    }
    co_return co_await client_.request(std::move(request));
}

Task<Json> Api::asset(std::string tag, Json fields) const {
    fields.set("tag", tag);
    if (!fields.contains("name")) fields.set("name", "Thing " + tag);
    TestResponse made = co_await post("/assets", Json::object({{"asset", std::move(fields)}}));
    EXPECT_EQ(made.status, 201) << made.body;
    co_return made.json()["data"];
}

Task<std::string> Api::employee(std::string status) const {
    TestResponse list = co_await get("/employees?page_size=1&status=" + status);
    EXPECT_EQ(list.status, 200) << list.body;
    co_return list.json()["data"][0].get<std::string>("id").value_or("");
}

std::string errors_of(const TestResponse& response) {
    std::string out;
    const Json body = response.json();
    const Json& errors = body["errors"];
    for (std::size_t i = 0; i < errors.size(); ++i) {
        const Json& each = errors[i];
        if (!out.empty()) out += ' ';
        if (each.contains("index")) out += std::to_string(each["index"].as_int()) + "/";
        out += each.get<std::string>("field").value_or("-") + ":" +
               each.get<std::string>("code").value_or("no code");
        EXPECT_TRUE(each["message"].is_string() && each["message"].as_string().size() > 0);
    }
    return out;
}

Task<std::vector<int>> all_at_once(const Api& api, std::vector<TestRequest> requests) {
    Ref<Gather> gather = spawn<Gather>(requests.size());
    for (TestRequest& request : requests) {
        spawn_task([&api, gather, request]() -> Task<> {
            TestResponse response = co_await api.raw(request);
            cast(gather, Gather::Answer{response.status});
        });
    }
    co_return co_await call(gather, Gather::All{}, {.timeout = std::chrono::seconds(30)});
}

}  // namespace assetronics::testing
