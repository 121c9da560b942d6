#pragma once

#include "apps/assetronics/lib/assets/assets.hpp"
#include "bennu/web/conn.hpp"

namespace assetronics::web {

/// The list of objects under `key`, which must be the body's only member. Missing, empty or of
/// another type: 422.
Json::Array take_items(Json body, std::string_view key);
/// The same for one object.
Json take_object(Json body, std::string_view key);
/// Items whose `id` is a text that is no id make the whole batch malformed: 400.
void check_ids(const Json::Array& items);
/// `{"ids": […]}`; what is no id: 400.
std::vector<Id> take_ids(Json body);

enum class BatchData : std::uint8_t { records, ids };
struct BatchStatus {
    int all;   ///< when every item succeeded
    int none;  ///< when none did; in between: 206
    BatchData data = BatchData::records;
};
/// `{"success_count", "fail_count", "data", "errors"}`; only `{"errors"}` when none succeeded.
/// Errors carry the `index` of their item.
bennu::Response batch_answer(const bennu::Conn& conn, const Result<assets::Batch>& batch,
                             BatchStatus status);

}  // namespace assetronics::web
