#include "apps/assetronics/lib/ops/practice.hpp"

namespace assetronics::ops {

using namespace bennu;

namespace {

constexpr int counters = 8;
constexpr Duration beat = std::chrono::milliseconds(250);

/// Drills come in quick succession; the rest of the tree is not to notice when they go too far.
constexpr RestartBudget generous{.restarts = 100, .within = std::chrono::seconds(10)};

std::string counter_id(int number) {
    return "counter-" + std::to_string(number);
}
std::string counter_name(int number) {
    return std::string(practice_name) + "." + counter_id(number);
}

class PracticeCounter : public Server {
  public:
    struct Add {};
    void handle(Add) { ++count_; }

  private:
    std::uint64_t count_ = 0;
};

class PracticeMetronome : public Server {
  public:
    struct Beat {};
    Task<Result<>> init() {
        handle(Beat{});
        co_return Result<>();
    }
    void handle(Beat) {
        for (int number = 1; number <= counters; ++number) {
            const auto counter = whereis<PracticeCounter>(counter_name(number));
            if (counter) cast(counter, PracticeCounter::Add{});
        }
        send_after(Ref<PracticeMetronome>(self()), Beat{}, beat);
    }
};

ChildSpec branch(std::string id, Strategy strategy, int first) {
    return child_supervisor(std::move(id), {.strategy = strategy, .budget = generous}, [first] {
        std::vector<ChildSpec> children;
        for (int number = first; number < first + counters / 2; ++number) {
            children.push_back(
                child<PracticeCounter>({.id = counter_id(number),
                                        .name = counter_name(number),
                                        .place = place::shard(static_cast<std::uint8_t>(number))}));
        }
        return children;
    });
}

}  // namespace

ChildSpec child_practice() {
    const std::string name(practice_name);
    return child_supervisor(ChildOptions{.id = name,
                                         .name = name,
                                         .budget = RestartBudget{},
                                         .when_spent = WhenSpent::leave_down},
                            {.budget = generous}, [] {
                                std::vector<ChildSpec> children;
                                children.push_back(branch("alone", one_for_one, 1));
                                children.push_back(branch("in-line", rest_for_one, 5));
                                children.push_back(child<PracticeMetronome>({.id = "metronome"}));
                                return children;
                            });
}

}  // namespace assetronics::ops
