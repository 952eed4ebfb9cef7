using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Sinks.Text;
using ConntrackStream.Tests;

namespace ConntrackStream.Kernel.Tests;

public sealed class NetlinkProgramsTests
{
    [Fact]
    public void The_owner_of_a_netlink_socket_is_found_as_long_as_it_is_open()
    {
        using KernelNamespace space = new();
        using NetworkNamespace network = NetworkNamespace.OpenName(space.Name);
        FakeTimeProvider time = new();
        NetlinkPrograms programs = new(network, time);
        uint portId;
        using (NetlinkSocket socket = network.Run(() => new NetlinkSocket(NetlinkSocket.NETLINK_NETFILTER)))
        {
            portId = socket.PortId;
            Assert.Equal(File.ReadAllText("/proc/self/comm").TrimEnd('\n'), programs.NameOf(portId));
            Assert.Null(programs.NameOf(portId + 1));
        }

        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Null(programs.NameOf(portId));
    }
}
