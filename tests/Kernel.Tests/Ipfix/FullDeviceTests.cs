using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Sinks.Ipfix.Transport;

namespace ConntrackStream.Kernel.Tests.Ipfix;

/// <summary>A device that sends a kilobyte a second (sch_tbf), so that datagrams stay in the socket's send buffer.</summary>
public sealed class FullDeviceTests : IDisposable
{
    private const string Collector = "10.9.0.2";

    private readonly KernelNamespace _space = new(track: false);
    private readonly Socket _socket;

    public FullDeviceTests()
    {
        _space.Exec("ip", "link", "add", "v0", "type", "veth", "peer", "v1");
        _space.Sysctl("net.ipv6.conf.v0.disable_ipv6", "1"); // no packets but the test's
        _space.Exec("ip", "link", "set", "v0", "up");
        _space.Exec("ip", "link", "set", "v1", "up");
        _space.Exec("ip", "address", "add", "10.9.0.1/24", "dev", "v0");
        _space.Exec("ip", "neighbour", "replace", Collector, "lladdr", "02:00:00:00:00:02", "dev", "v0", "nud", "permanent");
        _socket = _space.Run(static () => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
        _socket.SendBufferSize = 4096;
        _socket.SendTimeout = 200;
        _socket.Connect(IPAddress.Parse(Collector), 4739);
    }

    public void Dispose()
    {
        _socket.Dispose();
        _space.Dispose();
    }

    [Fact]
    public void What_it_took_is_counted_the_rest_is_an_error_and_later_it_goes_on()
    {
        DatagramSender sender = new(_socket.SafeHandle);
        _space.Exec("tc", "qdisc", "replace", "dev", "v0", "root", "tbf", "rate", "8kbit", "burst", "1600", "limit", "1000000");
        int[] lengths = [.. Enumerable.Range(900, 64)]; // growing: each is a buffer by itself
        byte[] datagrams = new byte[lengths.Sum()];
        int sent = 0;
        NetlinkException full = Assert.Throws<NetlinkException>(() => sender.Send(datagrams, lengths, ref sent));
        Assert.Equal(Errno.EAGAIN, full.Errno);
        Assert.InRange(sent, 1, lengths.Length - 1);
        Assert.Equal(sent, Taken());
        _space.Exec("tc", "qdisc", "delete", "dev", "v0", "root"); // drops what it holds
        int more = 0;
        sender.Send(datagrams, lengths, ref more);
        Assert.Equal(lengths.Length, more);
    }

    /// <summary>Packets that the device's queue has sent or still holds.</summary>
    private int Taken()
    {
        using JsonDocument queues = JsonDocument.Parse(_space.Exec("tc", "-s", "-j", "qdisc", "show", "dev", "v0"));
        JsonElement queue = queues.RootElement[0];
        return queue.GetProperty("packets").GetInt32() + queue.GetProperty("qlen").GetInt32();
    }
}
