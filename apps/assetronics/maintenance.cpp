#include "apps/assetronics/maintenance.hpp"

#include <cstdio>

#include "apps/assetronics/lib/database/database.hpp"
#include "apps/assetronics/lib/demo/demo.hpp"
#include "apps/assetronics/web/web.hpp"
#include "bennu/runtime/runtime.hpp"

namespace assetronics {

using namespace bennu;

namespace {

using Work = Function<Task<Result<>>(Repo)>;

Task<Result<>> with_repo(std::string data_dir, std::shared_ptr<Work> work) {
    Repo repo = co_await require(database::open(std::move(data_dir)));
    Result<> done = co_await (*work)(repo);
    co_await repo.close();
    co_return done;
}

int with_database(const NodeOptions& options, Work work) {
    auto shared = std::make_shared<Work>(std::move(work));
    return run({.shards = 1}, [data_dir = options.data_dir, shared] [[clang::coro_wrapper]] () {
        return with_repo(data_dir, shared);
    });
}

Task<Result<>> migrate_all(Repo repo) {
    const int count = co_await require(migrate(repo, database::migrations()));
    std::printf("Applied %d migrations\n", count);
    co_return Result<>();
}

Task<Result<>> rollback_some(Repo repo, int steps) {
    const int count = co_await require(rollback(repo, database::migrations(), steps));
    std::printf("Undid %d migrations\n", count);
    co_return Result<>();
}

Task<Result<>> seed_demo(Repo repo) {
    co_await require(migrate(repo, database::migrations()));
    const bool seeded = co_await require(demo::seed(repo, wall_now()));
    std::puts(seeded ? "Seeded the demo company" : "The demo company is there already");
    co_return Result<>();
}

/// Within a runtime: a table of routes also declares the topics of its sockets.
Task<Result<>> write_routes(RouteListing listing) {
    StaticFiles pages = co_await require(web::load_pages(""));
    auto router = web::make_router({.repo = {}, .pages = std::move(pages)});
    const std::string table = router->describe(listing);
    if (table.empty()) co_return Error(ErrorKind::not_found, "no_route", "no route is like that");
    std::fputs(table.c_str(), stdout);
    co_return Result<>();
}

}  // namespace

int migrate_database(const NodeOptions& options) {
    return with_database(options, migrate_all);
}

int rollback_database(const NodeOptions& options, int steps) {
    return with_database(options, [steps] [[clang::coro_wrapper]] (Repo repo) {
        return rollback_some(std::move(repo), steps);
    });
}

int seed_database(const NodeOptions& options) {
    return with_database(options, seed_demo);
}

int print_routes(const RouteListing& listing) {
    return run({.shards = 1},
               [listing] [[clang::coro_wrapper]] () { return write_routes(listing); });
}

}  // namespace assetronics
