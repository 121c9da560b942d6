#include "apps/assetronics/lib/imports/imports.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "apps/assetronics/lib/activity/activity.hpp"
#include "apps/assetronics/lib/assets/assets.hpp"
#include "apps/assetronics/test/api_testing.hpp"
#include "bennu/base/log.hpp"
#include "bennu/pubsub/pubsub.hpp"

namespace assetronics::testing::imports_test {

using namespace bennu;
using namespace std::chrono_literals;
using imports::Import;
using imports::ImportStatus;

/// Waits for what imports of a tenant tell.
struct ImportWatch : Server {
    /// Until some import has processed so many rows, or is over.
    struct Processed {
        using Reply = Json;
        std::int64_t rows;
    };
    struct Seen {
        using Reply = std::vector<std::string>;
    };
    explicit ImportWatch(std::string slug) : tenant(std::move(slug)) {}
    Task<Result<>> init() {
        const Ref<ImportWatch> me(self());
        progress = pubsub::subscribe(me, "imports:" + tenant);
        assets = pubsub::subscribe(me, "assets:" + tenant);
        activity = pubsub::subscribe(me, "activity:" + tenant);
        co_return Result<>();
    }
    void handle(Processed message, From<Json> from) {
        wanted = message.rows;
        waiting = std::move(from);
        answer();
    }
    std::vector<std::string> handle(Seen) { return seen; }
    void handle(Broadcast message) {
        seen.emplace_back(message.event());
        if (message.event() == "import_progress") last = message.payload()["import"];
        answer();
    }
    void answer() {
        if (!waiting || last.is_null()) return;
        const std::string status = last.get<std::string>("status").value_or("");
        if (status == "completed" || status == "failed" || last["processed"].as_int() >= wanted) {
            waiting.reply(last);
        }
    }
    std::string tenant;
    pubsub::Subscription progress, assets, activity;
    std::vector<std::string> seen;
    Json last;
    std::int64_t wanted = 0;
    From<Json> waiting;
};

constexpr std::int64_t to_the_end = INT64_MAX;

Task<Import> finished(const Api& api, Ref<ImportWatch> watch, Id id) {
    Result<Import> now = co_await imports::get(api.scope(), id);
    EXPECT_TRUE(now);
    if (!now->finished_at) {
        (void)co_await call(watch, ImportWatch::Processed{to_the_end}, {.timeout = 60s});
        now = co_await imports::get(api.scope(), id);
    }
    co_return *std::move(now);
}

Task<Ref<ImportWatch>> watch_imports() {
    auto started = co_await start<ImportWatch>({}, std::string("demo"));
    co_return *started;
}

Task<Import> run_file(const Api& api, std::string csv, std::string name = "list.csv") {
    Ref<ImportWatch> watch = co_await watch_imports();
    Result<Import> started = co_await imports::start(api.scope(), std::move(name), std::move(csv));
    EXPECT_TRUE(started) << started.error().describe();
    co_return co_await finished(api, watch, started->id);
}

/// `rows` good rows; each hundredth is followed by a bad one.
std::string inventory(int rows) {
    std::string csv = "Asset Tag,Asset Name,Category,Purchase Cost\n";
    for (int i = 0; i < rows; ++i) {
        const std::string n = std::to_string(i);
        csv +=
            "T-" + n + ",Thing " + n + ",Laptop,\"1," + std::to_string(100 + i % 900) + ".00\"\n";
        if (i % 100 == 99) csv += "BAD-" + n + ",Bad " + n + ",Spaceship,\n";
    }
    return csv;
}

/// Every asset is there once, and only good rows are.
Task<std::string> census(const Api& api, int rows) {
    auto all = co_await api.repo().all(from<assets::Asset>().for_tenant("demo"));
    EXPECT_TRUE(all);
    std::set<std::string> tags;
    for (const assets::Asset& asset : *all) tags.insert(asset.tag);
    std::size_t bad = 0;
    for (const std::string& tag : tags) bad += tag.starts_with("BAD");
    co_return std::to_string(all->size()) + " rows, " + std::to_string(tags.size()) + " tags, " +
        std::to_string(bad) + " bad, " +
        (tags.contains("T-" + std::to_string(rows - 1)) ? "with the last" : "without the last");
}

TEST(Imports, ten_thousand_rows_go_in_and_the_bad_ones_do_not) {
    with_api([](const Api& api) -> Task<Result<>> {
        Ref<ImportWatch> watch = co_await watch_imports();
        auto started = co_await require(
            imports::start(api.scope(), "C:\\lists\\office.csv", inventory(10'000)));
        EXPECT_EQ(started.filename, "office.csv");
        EXPECT_EQ(started.total, 10'100);
        const Import done = co_await finished(api, watch, started.id);
        EXPECT_EQ(done.status, ImportStatus::completed);
        EXPECT_EQ(done.processed, 10'100);
        EXPECT_EQ(done.created_count, 10'000);
        EXPECT_EQ(done.updated_count, 0);
        EXPECT_EQ(done.failed_count, 100);
        EXPECT_EQ(done.error_count, 100);
        EXPECT_EQ(done.errors.size(), 100U);
        EXPECT_EQ(done.errors[0].line, 102);
        EXPECT_EQ(done.errors[0].code, "not_one_of");
        EXPECT_EQ(done.errors[0].value, "Spaceship");
        EXPECT_EQ(co_await census(api, 10'000), "10000 rows, 10000 tags, 0 bad, with the last");

        const auto seen = co_await call(watch, ImportWatch::Seen{});
        EXPECT_GE(std::ranges::count(seen, "import_progress"), 2);
        EXPECT_EQ(std::ranges::count(seen, "assets_imported"), 21);  // once for each chunk
        EXPECT_EQ(std::ranges::count(seen, "activity_created"), 1);
        auto recent = co_await require(activity::recent(api.scope(), {.page = 1, .page_size = 1}));
        EXPECT_EQ(recent.rows.at(0).type, activity::TransactionType::import);
        EXPECT_EQ(recent.rows.at(0).description,
                  "Imported office.csv: 10000 created, 0 updated, 100 refused");
        co_return Result<>();
    });
}

TEST(Imports, a_second_export_updates_what_changed) {
    with_api([](const Api& api) -> Task<Result<>> {
        co_await run_file(api, "tag,name,location,notes\nA,Alpha,Berlin,old\nB,Beta,Berlin,\n");
        const Import again = co_await run_file(
            api, "tag,name,location,notes\nA,Alpha,Paris,\nB,Beta,Berlin,\nC,Gamma,,\n");
        EXPECT_EQ(again.created_count, 1);
        EXPECT_EQ(again.updated_count, 1);
        EXPECT_EQ(again.failed_count, 0);
        EXPECT_EQ(again.processed, 3);
        auto alpha = co_await require(api.repo().one(
            from<assets::Asset>().for_tenant("demo").where(col(&assets::Asset::tag) == "A")));
        EXPECT_EQ(alpha->location, "Paris");
        EXPECT_EQ(alpha->notes, "old");  // an empty cell says nothing
        co_return Result<>();
    });
}

TEST(Imports, errors_of_the_inventory_itself_are_reported_too) {
    with_api([](const Api& api) -> Task<Result<>> {
        const std::string long_name(201, 'x');
        const Import done = co_await run_file(
            api, "tag,name,cost\nhas spaces,a,\nB," + long_name + ",\nC,c,-5\nD,d,5\nD,d,5\nE,e\n");
        EXPECT_EQ(done.created_count, 1);
        EXPECT_EQ(done.failed_count, 5);
        std::string errors;
        for (const auto& error : done.errors) {
            errors += std::to_string(error.line) + ":" + error.field + ":" + error.code + " ";
        }
        EXPECT_EQ(errors,
                  "2:tag:format 3:name:too_long 4:cost:out_of_range 6:tag:taken 7::columns ");
        const auto csv = co_await require(imports::errors_csv(api.scope(), done.id));
        EXPECT_TRUE(csv.starts_with("line,field,code,message,value\r\n2,tag,format,")) << csv;
        EXPECT_TRUE(csv.contains("\r\n4,cost,out_of_range,must be at least 0,'-5\r\n"))
            << csv;  // no formula
        co_return Result<>();
    });
}

TEST(Imports, one_whose_process_is_killed_goes_on_and_takes_each_row_once) {
    LogCapture log;
    with_api([](const Api& api) -> Task<Result<>> {
        constexpr int rows = 5000;
        Ref<ImportWatch> watch = co_await watch_imports();
        auto started = co_await require(imports::start(api.scope(), "big.csv", inventory(rows)));
        for (std::int64_t at : {1, 1500, 3000}) {
            (void)co_await call(watch, ImportWatch::Processed{at}, {.timeout = 60s});
            kill(whereis("imports"), "a test");
        }
        const Import done = co_await finished(api, watch, started.id);
        EXPECT_EQ(done.status, ImportStatus::completed);
        EXPECT_EQ(done.processed, rows + rows / 100);
        EXPECT_EQ(done.created_count, rows);
        EXPECT_EQ(done.failed_count, rows / 100);
        EXPECT_EQ(done.error_count, rows / 100);
        EXPECT_EQ(co_await census(api, rows), "5000 rows, 5000 tags, 0 bad, with the last");
        co_return Result<>();
    });
    EXPECT_TRUE(log.contains("going on with an import"));
}

TEST(Imports, one_that_a_restart_interrupts_goes_on_at_the_next_start) {
    TempFolder folder;
    auto id = std::make_shared<Id>();
    const ApiOptions options{.data_dir = folder.path()};
    with_api(
        [id](const Api& api) -> Task<Result<>> {
            Ref<ImportWatch> watch = co_await watch_imports();
            *id = (co_await require(imports::start(api.scope(), "big.csv", inventory(5000)))).id;
            const Json seen = co_await call(watch, ImportWatch::Processed{500}, {.timeout = 60s});
            EXPECT_EQ(seen["status"], Json("running"));
            co_return Result<>();
        },
        options);
    with_api(
        [id](const Api& api) -> Task<Result<>> {
            Ref<ImportWatch> watch = co_await watch_imports();
            const Import done = co_await finished(api, watch, *id);
            EXPECT_EQ(done.status, ImportStatus::completed);
            EXPECT_EQ(done.created_count, 5000);
            EXPECT_EQ(done.failed_count, 50);
            EXPECT_EQ(co_await census(api, 5000), "5000 rows, 5000 tags, 0 bad, with the last");
            co_return Result<>();
        },
        options);
}

TEST(Imports, one_whose_file_is_gone_fails_and_counts_what_is_in) {
    TempFolder folder;
    auto id = std::make_shared<Id>();
    const ApiOptions options{.data_dir = folder.path()};
    with_api(
        [id](const Api& api) -> Task<Result<>> {
            Ref<ImportWatch> watch = co_await watch_imports();
            *id = (co_await require(imports::start(api.scope(), "big.csv", inventory(60'000)))).id;
            (void)co_await call(watch, ImportWatch::Processed{500}, {.timeout = 60s});
            co_return Result<>();
        },
        options);
    std::filesystem::remove_all(folder.path() + "/imports");
    with_api(
        [id](const Api& api) -> Task<Result<>> {
            Ref<ImportWatch> watch = co_await watch_imports();
            const Import done = co_await finished(api, watch, *id);
            EXPECT_EQ(done.status, ImportStatus::failed);
            EXPECT_EQ(done.errors.back().code, "failed");
            auto there =
                co_await require(api.repo().count(from<assets::Asset>().for_tenant("demo")));
            EXPECT_GE(done.processed, 500);
            EXPECT_LT(there, 60'000);
            EXPECT_EQ(done.created_count, there);
            EXPECT_EQ(done.created_count + done.failed_count, done.processed);
            co_return Result<>();
        },
        options);
}

Task<TestResponse> upload(const Api& api, std::string type, std::string body,
                          std::string target = "/imports") {
    co_return co_await api.raw({.method = net::Method::post,
                                .target = "/api/v1" + target,
                                .headers = {{"content-type", std::move(type)}},
                                .body = std::move(body)});
}

TEST(ImportApi, takes_a_file_as_it_is_or_in_a_form) {
    with_api([](const Api& api) -> Task<Result<>> {
        Ref<ImportWatch> watch = co_await watch_imports();
        TestResponse plain =
            co_await upload(api, "text/csv; charset=utf-8", "Tag,Name,Colour\nA,a,red\n",
                            "/imports?filename=my%20list.csv");
        EXPECT_EQ(plain.status, 202) << plain.body;
        const Json data = plain.json()["data"];
        EXPECT_EQ(data["filename"], Json("my list.csv"));
        EXPECT_EQ(data["status"], Json("pending"));
        EXPECT_EQ(to_json(data["columns"]),
                  R"([{"column":"Tag","field":"tag"},{"column":"Name","field":"name"}])");
        EXPECT_EQ(to_json(data["ignored_columns"]), R"(["Colour"])");
        const Id id = parse_id(data["id"].as_string()).value();
        (void)co_await finished(api, watch, id);
        TestResponse shown = co_await api.get("/imports/" + to_string(id));
        EXPECT_EQ(shown.status, 200);
        EXPECT_EQ(shown.json()["data"]["created_count"], Json(1));
        TestResponse errors = co_await api.get("/imports/" + to_string(id) + "/errors.csv");
        EXPECT_EQ(errors.status, 200);
        EXPECT_TRUE(errors.header("content-type").starts_with("text/csv"));
        EXPECT_EQ(errors.body, "line,field,code,message,value\r\n");

        TestResponse form =
            co_await upload(api, "multipart/form-data; boundary=xx",
                            "--xx\r\ncontent-disposition: form-data; name=\"file\"; "
                            "filename=\"form.csv\"\r\n\r\ntag,name\nB,b\n\r\n--xx--\r\n");
        EXPECT_EQ(form.status, 202) << form.body;
        EXPECT_EQ(form.json()["data"]["filename"], Json("form.csv"));
        co_return Result<>();
    });
}

TEST(ImportApi, refuses_what_is_no_inventory) {
    with_api([](const Api& api) -> Task<Result<>> {
        const TestResponse strange = co_await upload(api, "text/csv", "colour,size\nred,1\n");
        EXPECT_EQ(strange.status, 422);
        EXPECT_EQ(errors_of(strange), "tag:missing_column name:missing_column");
        const TestResponse empty = co_await upload(api, "text/csv", "");
        EXPECT_EQ(empty.status, 422);
        EXPECT_EQ(errors_of(empty), "file:empty");
        EXPECT_EQ((co_await upload(api, "application/json", "{}")).status, 415);
        EXPECT_EQ((co_await upload(api, "multipart/form-data; boundary=xx", "--xx--\r\n")).status,
                  422);
        EXPECT_EQ((co_await upload(api, "text/csv", "tag,name\n", "/imports?colour=red")).status,
                  400);
        EXPECT_EQ((co_await upload(api, "text/csv", std::string((32 << 20) + 1, 'x'))).status, 413);
        EXPECT_EQ((co_await api.get("/imports/nonsense")).status, 400);
        EXPECT_EQ((co_await api.get("/imports/" + to_string(new_id()))).status, 404);
        EXPECT_EQ((co_await api.get("/imports/" + to_string(new_id()) + "/errors.csv")).status,
                  404);
        co_return Result<>();
    });
}

TEST(ImportApi, an_import_belongs_to_its_tenant) {
    with_api([](const Api& api) -> Task<Result<>> {
        const Import done = co_await run_file(api, "tag,name\nA,a\n");
        const std::string path = "/imports/" + to_string(done.id);
        EXPECT_EQ((co_await api.send(net::Method::get, path, {}, "other")).status, 404);
        EXPECT_EQ((co_await api.send(net::Method::get, path + "/errors.csv", {}, "other")).status,
                  404);
        EXPECT_EQ((co_await api.send(net::Method::get, path)).status, 200);
        co_return Result<>();
    });
}

}  // namespace assetronics::testing::imports_test
