using System.Net;
using ConntrackStream.Kernel.Tests.Kit;

namespace ConntrackStream.Kernel.Tests.Reclassify.Moves;

/// <summary>
/// The reclassifier moves translated TCP of every kind, and no client hangs: by what each client's own socket says. Short here;
/// <c>bench/run moves</c> does it with 25 connections a row. Without the reset: <see cref="MoveControlTests"/>.
/// </summary>
public sealed class MoveMatrixTests
{
    private const int Few = 4;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(TrafficKind.Download2Ms, false, 0, false)]
    [InlineData(TrafficKind.Download2Ms, true, 10, true)]
    [InlineData(TrafficKind.Download5Ms, false, 0, true)]
    [InlineData(TrafficKind.Download5Ms, false, 50, false)]
    [InlineData(TrafficKind.Download20Ms, false, 0, false)]
    [InlineData(TrafficKind.Download20Ms, true, 50, true)]
    [InlineData(TrafficKind.DownloadUnpaced, false, 0, true)]
    [InlineData(TrafficKind.DownloadUnpaced, true, 10, false)]
    [InlineData(TrafficKind.Push100Ms, false, 0, false)]
    [InlineData(TrafficKind.Push1S, true, 50, true)]
    [InlineData(TrafficKind.Report100Ms, false, 0, false)]
    [InlineData(TrafficKind.Upload, false, 0, false)]
    [InlineData(TrafficKind.Upload, true, 50, true)]
    [InlineData(TrafficKind.Echo, false, 10, true)]
    [InlineData(TrafficKind.Download20Ms, false, 250, false)] // the first resets come too late for seconds
    [InlineData(TrafficKind.Push100Ms, true, 250, true)]
    [InlineData(TrafficKind.Idle, true, 0, false)]
    [InlineData(TrafficKind.WindowFull, false, 10, false)]
    [InlineData(TrafficKind.Download5Ms, true, 0, false, true)] // the gateway's own
    [InlineData(TrafficKind.DownloadUnpaced, false, 0, true, true)]
    [InlineData(TrafficKind.Push100Ms, true, 0, true, true)]
    [InlineData(TrafficKind.Report1S, false, 0, true, true)]
    public async Task Every_client_is_reset_once_and_goes_on_by_the_right_uplink(
        TrafficKind kind, bool ipv6, int latency, bool dropsInput, bool isOwn = false)
    {
        (MoveResult result, string log) = await RunAsync(kind, new MovePlace(ipv6, isOwn, latency, dropsInput), Patience);
        Assert.True(result.Hung == 0 && result.Moved == result.Flows, $"{result}\n{log}");
    }

    /// <summary>The server sends again, ever more slowly: 3 s from the first to the fifth.</summary>
    [Theory]
    [InlineData(TrafficKind.Push1S, false)]
    [InlineData(TrafficKind.Push1S, true)]
    public async Task A_client_whose_first_resets_are_lost_is_reset_by_a_later_one(TrafficKind kind, bool ipv6)
    {
        (MoveResult result, string log) = await RunAsync(kind, new MovePlace(ipv6, IsOwn: false, Latency: 1), Patience, lost: 4);
        Assert.True(result.Hung == 0 && result.Moved == result.Flows, $"{result}\n{log}");
    }

    /// <summary>A half-closed connection is at its end: refused, so never cut.</summary>
    [Theory]
    [InlineData(TrafficKind.HalfClosed, false, false, true)]
    [InlineData(TrafficKind.HalfClosed, true, true, false)]
    public async Task What_is_refused_goes_on_where_it_is(TrafficKind kind, bool ipv6, bool own, bool dropsInput)
    {
        (MoveResult result, string log) = await RunAsync(kind, new MovePlace(ipv6, own, Latency: 0, dropsInput), patience: TimeSpan.Zero);
        Assert.True(result.Stayed == result.Flows, $"{result}\n{log}");
        Assert.Contains("Refused", log, StringComparison.Ordinal);
    }

    private static async Task<(MoveResult Result, string Log)> RunAsync(TrafficKind kind, MovePlace place, TimeSpan patience, int lost = 0)
    {
        using UplinkRig rig = place.Build(lost);
        IPAddress server = UplinkRig.ServerAddress(place.IPv6);
        await using RunningReclassifier running = await RunningReclassifier.StartAsync(
            rig, ["nft:inet/rig/app4=wan2", "nft:inet/rig/app6=wan2"], static options => options.FlapGuard.Budget = 1_000_000);
        KernelNamespace client = place.IsOwn ? rig.Gateway : rig.Client1;
        await using MoveRun run = await MoveRun.OpenAsync(rig, client, kind, server, lost > 0 ? 1 : MoveReport.Flows(Few));
        run.Begin();
        rig.AddToSet(server);
        Eventually.True(() => run.Flows.All(flow => running.Log.Mentions(flow.First)), state: Log); // only then do those wake that sleep
        run.Wake();
        MoveResult result = await run.ResultAsync(patience);
        MoveReport.Add($"{kind}, {place}{(lost > 0 ? $", {lost} resets lost" : "")}", result);
        return (result, Log());

        string Log() => string.Join('\n', running.Log.All);
    }
}
