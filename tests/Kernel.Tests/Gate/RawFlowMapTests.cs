using System.Net;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Kernel.Tests.Gate;

/// <summary>The kit's map against the kernel; that its bytes are the agent's is the gate's to say.</summary>
public sealed class RawFlowMapTests : IDisposable
{
    private readonly BpfDirectory _directory = new();

    private string Pin => Path.Combine(_directory.Path, "map");

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void What_is_put_in_is_found_taken_and_put_back(bool ipv6, bool wide)
    {
        using RawFlowMap map = RawFlowMap.Create(Pin, ipv6, wide);
        MapKey[] keys = [.. Enumerable.Range(1, 5000).Select(port => Key(ipv6, (ushort)port))];
        MapValue value = new(7, wide ? 9u : 0u);
        foreach (MapKey key in keys)
            map.Insert(key, value);
        Assert.True(map.Keys().SetEquals(keys));

        Assert.True(map.TryTake(keys[0], out MapValue taken));
        Assert.Equal((value, false), (taken, map.TryTake(keys[0], out _)));
        Assert.True(map.TryRestore(keys[0], taken));
        Assert.False(map.TryRestore(keys[0], default));
        Assert.True(map.TryLookup(keys[0], out MapValue restored));
        Assert.Equal(value, restored);

        Assert.Equal((true, false, false), (map.Delete(keys[1]), map.Delete(keys[1]), map.Has(keys[1])));
        Assert.Equal((ipv6, wide, 65536u, "aws_conntrack_m"), (map.Info.IsIPv6, map.Info.HasLastSeen, map.Info.Capacity, map.Info.Name));
    }

    [Fact]
    public void What_no_agent_writes_is_junk()
    {
        using RawFlowMap map = RawFlowMap.Create(Pin);
        map.Insert(Key(ipv6: false, 1));
        map.Insert(Key(ipv6: false, 2) with { Owner = new IpAddress(0, 1) });
        byte[] dirty = new byte[24];
        dirty[15] = 1;
        map.InsertBytes(dirty);
        using MapEntryPool pool = new();
        Assert.Equal(new FlowMapScan(1, 2), map.Scan(pool, pool.Return, TestContext.Current.CancellationToken));
    }

    [Fact]
    public void A_map_made_anew_under_the_same_pin_is_noticed()
    {
        using RawFlowMap map = RawFlowMap.Create(Pin);
        map.Insert(Key(ipv6: false, 1));
        uint id = map.Info.Id;
        Assert.False(map.Refresh());

        File.Delete(Pin);
        Assert.Throws<FlowMapException>(() => map.Refresh());
        using RawFlowMap other = RawFlowMap.Create(Pin, wide: true);
        Assert.True(map.Refresh());
        Assert.Equal((other.Info, true), (map.Info, map.Info.Id > id));
        Assert.Empty(map.Keys());
    }

    public void Dispose() => _directory.Dispose();

    private static MapKey Key(bool ipv6, ushort port)
    {
        FlowTuple tuple = new()
        {
            Family = ipv6 ? FlowFamily.IPv6 : FlowFamily.IPv4,
            Protocol = IpProtocol.Tcp,
            Source = IpAddress.From(IPAddress.Parse(ipv6 ? "fd00::1" : "10.0.0.1")),
            SourcePort = port,
            Destination = IpAddress.From(IPAddress.Parse(ipv6 ? "fd00::2" : "10.0.0.2")),
            DestinationPort = 80,
        };
        return new MapKey(tuple, tuple.Destination, InterfaceIndex: 3);
    }
}
