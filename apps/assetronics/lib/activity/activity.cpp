#include "apps/assetronics/lib/activity/activity.hpp"

#include "bennu/pubsub/pubsub.hpp"

namespace assetronics::activity {

using namespace bennu;

BENNU_DEFINE_SCHEMA(Transaction,
                    bennu::schema<Transaction>("transactions").tenant(&Transaction::tenant))

namespace {

/// How many rows the feed on the screen holds; more of one change are not worth telling.
constexpr std::size_t feed_length = 50;

}  // namespace

Task<Result<std::vector<Transaction>>> record(Scope scope, std::vector<Transaction> rows) {
    const Timestamp now = wall_now();
    for (Transaction& row : rows) {
        row.tenant = scope.tenant;
        if (row.id.is_nil()) row.id = new_id();
        if (row.performed_at == Timestamp{}) row.performed_at = now;
        if (!row.performed_by) row.performed_by = scope.actor;
    }
    co_return co_await scope.repo.insert_all(std::move(rows));
}

void announce(const Scope& scope, const std::vector<Transaction>& rows) {
    const std::size_t first = rows.size() > feed_length ? rows.size() - feed_length : 0;
    for (std::size_t i = first; i < rows.size(); ++i) {
        pubsub::broadcast(scope.topic("activity"), "activity_created", ActivityCreated{{rows[i]}});
    }
}

Task<Result<Page<Transaction>>> recent(Scope scope, PageRequest request) {
    // An import is one thing that happened; its thousands of rows are in the assets' histories.
    co_return co_await page(scope.repo,
                            from<Transaction>()
                                .for_tenant(scope.tenant)
                                .where(col(&Transaction::type) != TransactionType::import ||
                                       col(&Transaction::asset_id).is_null())
                                .order_by(desc(&Transaction::performed_at), desc(&Transaction::id)),
                            request);
}

Task<Result<Page<Transaction>>> of_asset(Scope scope, Id asset_id, PageRequest request) {
    co_return co_await page(scope.repo,
                            from<Transaction>()
                                .for_tenant(scope.tenant)
                                .where(col(&Transaction::asset_id) == asset_id)
                                .order_by(desc(&Transaction::performed_at), desc(&Transaction::id)),
                            request);
}

}  // namespace assetronics::activity
