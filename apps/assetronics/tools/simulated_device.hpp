#pragma once

#include "apps/assetronics/tools/device_client.hpp"
#include "bennu/base/random.hpp"

namespace assetronics::tools {

/// The identity of the n-th simulated device: equal seeds and numbers give equal ones. Its MAC is
/// locally administered.
device::Identity simulated_identity(std::uint64_t seed, std::uint32_t number, std::string tenant);

/// Hardware that wanders: values walk at random around what the device is like. Most are well; a
/// few run warm, hot or on a low battery; now and then one falls silent for some seconds, or drops
/// out and comes back.
class SimulatedDevice final : public device::Hardware {
  public:
    explicit SimulatedDevice(std::uint64_t seed);

    device::Moment next() override;
    void act(std::string_view action) override;

  private:
    double walk(double value, double towards, double stride);

    bennu::Random random_;
    double usual_cpu_;
    double usual_temperature_;
    bool low_battery_ = false;
    device::Metrics now_;
    int silent_ = 0;   // seconds to go
    int episode_ = 0;  // of running hot
    double heat_ = 0;  // of the episode
};

}  // namespace assetronics::tools
