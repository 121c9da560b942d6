// What inventory tools and people call a status, a condition and a category.
#include <span>

#include "apps/assetronics/lib/imports/cells.hpp"
#include "apps/assetronics/lib/imports/columns.hpp"

namespace assetronics::imports {
namespace {

struct Words {
    std::string_view value;
    std::string_view words;  // plain (see `plain_name`), separated by spaces
};

constexpr Words statuses[] = {
    {"on_order",
     "onorder ordered ordering requested purchaseordered pendingdelivery backordered "
     "awaitingdelivery"},
    {"in_stock",
     "instock readytodeploy deployable available ready stock instorage storage spare stored "
     "unassigned undeployed "
     "pending new inventory checkedin free onshelf warehouse notinuse"},
    {"assigned",
     "assigned deployed inuse used active checkedout allocated issued installed operational live "
     "production"},
    {"in_transit", "intransit transit shipped shipping shipment moving"},
    {"in_repair",
     "inrepair repair outforrepair maintenance inmaintenance undermaintenance broken service "
     "inservicerepair rma "
     "faulty defective underrepair"},
    {"retired",
     "retired archived disposed decommissioned undeployable endoflife eol scrapped recycled sold "
     "donated obsolete "
     "disposedof writtenoff inactive old"},
    {"lost", "lost missing notfound lostmissing"},
    {"stolen", "stolen theft loststolen"},
};

constexpr Words conditions[] = {
    {"new", "new brandnew unopened sealed unused mint"},
    {"good",
     "good verygood excellent great ok okay working functional normal used likenew refurbished a "
     "gradea"},
    {"fair", "fair average acceptable satisfactory worn moderate medium b gradeb"},
    {"poor", "poor bad verypoor veryworn c gradec"},
    {"damaged", "damaged broken defective faulty notworking nonfunctional cracked d graded"},
};

constexpr Words categories[] = {
    {"laptop",
     "laptop laptops notebook notebooks laptopcomputer portable portablecomputer macbook macbooks "
     "macbookpro "
     "macbookair chromebook chromebooks ultrabook mobileworkstation"},
    {"desktop",
     "desktop desktops desktopcomputer desktoppc pc computer computers workstation workstations "
     "tower imac macmini "
     "minipc allinone thinclient"},
    {"monitor", "monitor monitors display displays screen screens lcd lcdmonitor tv television"},
    {"phone",
     "phone phones mobilephone mobilephones mobile mobiles smartphone smartphones cellphone "
     "cellphones iphone iphones "
     "handset voipphone deskphone ipphone"},
    {"tablet", "tablet tablets ipad ipads tabletpc tabletcomputer"},
    {"peripheral",
     "peripheral peripherals accessory accessories keyboard keyboards mouse mice headset headsets "
     "webcam webcams dock "
     "docks dockingstation dockingstations printer printers scanner scanners projector projectors "
     "speaker adapter "
     "usbdevice externaldrive"},
    {"server", "server servers bladeserver rackserver virtualserver storageserver nas san"},
    {"network_equipment",
     "networkequipment network networking networkdevice networkdevices networkgear switch switches "
     "router routers "
     "firewall firewalls accesspoint accesspoints wirelessaccesspoint wap ap gateway loadbalancer "
     "modem"},
    {"other",
     "other others misc miscellaneous unknown general uncategorized none na ups furniture vehicle "
     "software"},
};

std::optional<std::string_view> look_up(std::span<const Words> table, std::string_view cell) {
    const std::string name = plain_name(cell);
    if (name.empty()) return std::nullopt;
    for (const Words& entry : table) {
        std::string_view rest = entry.words;
        while (!rest.empty()) {
            const std::size_t space = rest.find(' ');
            if (rest.substr(0, space) == name) return entry.value;
            rest = space == std::string_view::npos ? std::string_view() : rest.substr(space + 1);
        }
    }
    return std::nullopt;
}

}  // namespace

std::optional<std::string_view> read_status(std::string_view cell) {
    return look_up(statuses, cell);
}
std::optional<std::string_view> read_condition(std::string_view cell) {
    return look_up(conditions, cell);
}
std::optional<std::string_view> read_category(std::string_view cell) {
    return look_up(categories, cell);
}

}  // namespace assetronics::imports
