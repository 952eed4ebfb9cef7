using System.Globalization;
using System.Net;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Kernel.Tests.Service;

namespace ConntrackStream.Kernel.Tests.Reclassify;

/// <summary>
/// A reclassifying service that is ended while its queue is full of flows on the wrong path, and a client waits to be reset.
/// </summary>
public sealed class ReclassifyStopTests : IDisposable
{
    private const int Flows = 10_000; // those that go before a busy machine has taken the signal are not all

    private static readonly IPAddress Server = UplinkRig.ServerAddress(ipv6: false);

    private readonly string _directory = Directory.CreateTempSubdirectory("cs-reclassify-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    /// <summary>It is stopped while the flows begin, so that their events and the signal wait for it together.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)] // the control: without the signal each of them goes
    public async Task After_SIGTERM_the_rest_of_the_queue_is_not_acted_on(bool isTerminated)
    {
        string rules = $"{_directory}/rules";
        await File.WriteAllLinesAsync(
            rules,
            Enumerable.Range(1, Flows)
                .Select(static port => string.Create(CultureInfo.InvariantCulture, $"wan2 proto udp dst {Server} dport {port}"))
                .Append($"wan2 proto tcp dst {Server}"),
            TestContext.Current.CancellationToken);
        using UplinkRig rig = new();
        using TcpFlow tcp = rig.Tcp(rig.Client1, Server);
        using ServiceProcess service = await ServiceProcess.StartAsync(
            rig.Gateway.Name, _directory,
            "--set", "Reclassify:Enabled=true", "--set", "Reclassify:Mode=act", "--set", $"Reclassify:RuleFile={rules}",
            "--set", "Reclassify:Paths:0=wan1 id=1 dev=wan1", "--set", "Reclassify:Paths:1=wan2 id=2 dev=wan2",
            // without counters none is watched first
            "--set", $"Reclassify:ActionsPerSecond={Flows}", "--set", "Tap:EnableAccounting=false");
        Eventually.True(
            () => Sets(rig).Contains($"{tcp.Source.Address} . {tcp.Source.Port} . {Server} . 443", StringComparison.Ordinal),
            state: () => Sets(rig));
        service.Signal("STOP");
        Generator generator = new(rig.Client2);
        FlowTuple[] tuples = [.. Enumerable.Range(1, Flows).Select(port => Tuple(generator.Udp(Server, (ushort)port), port))];
        Eventually.True(() => Left() == Flows);

        if (isTerminated)
            service.Signal("TERM");
        service.Signal("CONT");
        if (!isTerminated)
        {
            Eventually.True(() => Left() == 0, state: () => $"{Left()} left");
            return;
        }

        Assert.Equal(0, await service.WaitForExitAsync());
        int left = Left();
        Assert.True(left > 0, "all were deleted");
        TestContext.Current.TestOutputHelper!.WriteLine($"{left} of {Flows} left");
        Assert.DoesNotContain("conntrack_stream_reset", rig.Gateway.Exec("nft", "list", "tables"), StringComparison.Ordinal);
        tcp.Exchange(1000);

        int Left() => tuples.Count(tuple => rig.Find(tuple) is not null);
    }

    private static string Sets(UplinkRig rig) => rig.Gateway.Exec("nft", "list", "set", "inet", "conntrack_stream_reset", "connections4");

    private static FlowTuple Tuple(ushort source, int destination) => UplinkRig.Tuple(
        IpProtocol.Udp, new IPEndPoint(UplinkPlan.Client(ipv6: false, 2), source), new IPEndPoint(Server, destination));
}
