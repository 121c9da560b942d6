#include <gtest/gtest.h>

#include "bennu/net/http_testing.hpp"
#include "bennu/net/outside_testing.hpp"
#include "bennu/runtime/ready_queue.hpp"
#include "bennu/runtime/simulation_testing.hpp"

// How long requests have waited for their shard, as `Admission` is told.
namespace bennu::net::admission_wait_test {

using namespace std::chrono_literals;

/// Notes what each request had waited, then computes for a millisecond; `/long` for fifty.
struct Noting : TestHandler {
    std::shared_ptr<std::vector<Duration>> waits = std::make_shared<std::vector<Duration>>();

    Task<HttpResponse> handle(HttpRequest request) const override {
        waits->push_back(readiness_waited());
        compute(request.head.target() == "/long" ? 50ms : 1ms);
        HttpResponse response;
        response.body = "done";
        co_return response;
    }
};

const std::string get = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
const std::string get_long = "GET /long HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

/// `count` clients come while the shard computes for 50 ms, the first after 5, the last before 40.
std::vector<Duration> waits_of(SimOptions sim, int count, std::string bytes) {
    sim.shards = 1;
    auto handler = std::make_shared<Noting>();
    auto waits = handler->waits;
    serve(sim, {.admission = {.queue_delay = Duration::zero()}}, handler,
          [&](SocketAddress address) -> Task<> {
              OutsideClients outside(address);
              co_await sleep(1s);
              outside.ask(0ms, get_long);
              for (int i = 0; i < count; ++i) outside.ask(8ms + i * 30ms / count, bytes);
              co_await sleep(60s);
          });
    EXPECT_EQ(waits->size(), static_cast<std::size_t>(count) + 1);
    if (waits->empty()) return {};
    EXPECT_LT(waits->front(), 1ms);  // the shard slept
    return {waits->begin() + 1, waits->end()};
}

BENNU_SIM_TEST(AdmissionWait, of_a_new_connection_counts_from_when_it_came, sim) {
    const std::vector<Duration> waits = waits_of(sim, 1, get);
    ASSERT_EQ(waits.size(), 1U);
    // The middle of the fifty.
    EXPECT_GE(waits[0], 24ms);
    EXPECT_LE(waits[0], 27ms);
}

BENNU_SIM_TEST(AdmissionWait, of_those_that_come_in_crowds_counts_for_each, sim) {
    const std::vector<Duration> waits = waits_of(sim, 600, get);
    ASSERT_EQ(waits.size(), 600U);
    // One after the other, a millisecond each.
    for (int i = 0; i < 600; ++i) {
        EXPECT_GE(waits[static_cast<std::size_t>(i)], 24ms + i * 1ms) << i;
        EXPECT_LE(waits[static_cast<std::size_t>(i)], 27ms + i * 1ms) << i;
    }
}

TEST(AdmissionWait, counts_for_http_2_too) {
    const std::string hello =
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + std::string("\0\0\0\4\0\0\0\0\0", 9);
    // HEADERS that end the stream: GET, http, / and an authority.
    const std::string request =
        std::string("\0\0\6\1\5\0\0\0\1", 9) + "\x82\x86\x84" + std::string("\x41\x01", 2) + "a";
    const std::vector<Duration> waits = waits_of({}, 1, hello + request);
    ASSERT_EQ(waits.size(), 1U);
    EXPECT_GE(waits[0], 24ms);
    EXPECT_LE(waits[0], 27ms);
}

}  // namespace bennu::net::admission_wait_test
