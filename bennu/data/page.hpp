#pragma once

#include "bennu/data/repo.hpp"

namespace bennu {

struct PageRequest {
    std::int64_t page = 1;
    std::int64_t page_size = 50;
};

template <typename T>
struct Page {
    std::vector<T> rows;
    std::int64_t total = 0;  ///< rows of all pages
    std::int64_t page = 1;
    std::int64_t page_size = 50;

    std::int64_t pages() const { return (total + page_size - 1) / page_size; }
};

/// One page of a query and how many rows there are. The primary key decides between equal rows, so
/// that pages neither repeat nor skip one.
template <Stored T>
Task<Result<Page<T>>> page(Repo repo, Query<T> query, PageRequest request) {
    Result<std::int64_t> total = co_await repo.count(query);
    if (!total) co_return std::move(total).error();
    Result<std::vector<T>> rows =
        co_await repo.all(std::move(query).paged(request.page, request.page_size));
    if (!rows) co_return std::move(rows).error();
    co_return Page<T>{std::move(*rows), *total, request.page, request.page_size};
}

}  // namespace bennu
