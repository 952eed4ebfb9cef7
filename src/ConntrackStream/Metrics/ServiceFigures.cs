using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline;
using ConntrackStream.Service.Api;

namespace ConntrackStream.Service.Metrics;

/// <summary>What the service's own metrics are read from, as functions; each is called on any thread.</summary>
internal sealed record ServiceFigures
{
    internal required Func<TapCounters> Tap { get; init; }

    internal required Func<PipelineStatus> Status { get; init; }

    internal Func<KernelFigures?> Kernel { get; init; } = static () => null;

    /// <summary>Of the event socket; null while none is open.</summary>
    internal Func<SocketMemory?> Socket { get; init; } = static () => null;

    /// <summary>The last look at the kernel's table.</summary>
    internal Func<TableSample?> Table { get; init; } = static () => null;
}
