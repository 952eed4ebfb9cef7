using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Kernel.Tests.Kit;

namespace ConntrackStream.Kernel.Tests;

/// <summary>The count by the sysctl is that of the namespace in which the file was opened, whichever thread reads it.</summary>
public sealed class EntryCountTests
{
    [Fact]
    public void It_follows_its_own_namespace()
    {
        using KernelNamespace one = new(), two = new();
        using NetworkNamespace oneNet = NetworkNamespace.OpenName(one.Name), twoNet = NetworkNamespace.OpenName(two.Name);
        using EntryCount ofOne = EntryCount.Open(oneNet), ofTwo = EntryCount.Open(twoNet);
        using Storm storm = new(one), other = new(two);
        storm.Make(123);
        other.Make(45);
        using ConntrackClient client = oneNet.Run(static () => new ConntrackClient());
        Assert.Equal((123, 45, 123), (ofOne.Read(), ofTwo.Read(), client.Count()));
        Assert.Equal(123, twoNet.Run(ofOne.Read)); // not the reading thread's
        storm.Flush();
        Assert.Equal((0, 45), (ofOne.Read(), ofTwo.Read()));
    }

    [Fact]
    public void It_is_unknown_once_it_is_closed()
    {
        using KernelNamespace space = new();
        using NetworkNamespace net = NetworkNamespace.OpenName(space.Name);
        EntryCount count = EntryCount.Open(net);
        Assert.Equal(0, count.Read());
        count.Dispose();
        Assert.Null(count.Read());
    }
}
