#include "apps/assetronics/lib/ops/history.hpp"

namespace assetronics::ops {

using namespace bennu;

namespace {

std::string text_of(Pid pid) {
    return pid ? pid.to_string() : std::string();
}

template <typename Unit>
double in(Duration duration) {
    return std::chrono::duration<double, typename Unit::period>(duration).count();
}

RestartRow row_of(const RestartRecord& record) {
    RestartRow row;
    row.id = std::to_string(record.supervisor.shard()) + "." + std::to_string(record.serial);
    row.at = record.at;
    row.supervisor = text_of(record.supervisor);
    row.child = record.child;
    row.reason = record.reason;
    row.awaits = record.awaits;
    row.restarts = record.restarts;
    row.delay_ms = in<std::chrono::milliseconds>(record.delay);
    row.was = text_of(record.was);
    row.pid = text_of(record.pid);
    row.took_us = in<std::chrono::microseconds>(record.took);
    return row;
}

}  // namespace

void History::look(const std::vector<RestartRecord>& records) {
    rows_.clear();
    for (const RestartRecord& record : records) {
        if (rows_.size() == most_rows) break;
        rows_.push_back(row_of(record));
    }
}

std::vector<RestartRow> History::take_news() {
    std::vector<RestartRow> news;
    std::map<std::string, std::string> told;
    for (const RestartRow& row : rows_) {
        const auto known = told_.find(row.id);
        if (known == told_.end() || known->second != row.pid) news.push_back(row);
        told.emplace(row.id, row.pid);
    }
    told_ = std::move(told);
    return news;
}

}  // namespace assetronics::ops
