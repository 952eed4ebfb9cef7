using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline;
using ConntrackStream.Pipeline.Checkpoint;
using ConntrackStream.Pipeline.Delete;
using ConntrackStream.Service.Options;
using ConntrackStream.Sinks.Ebpf;

namespace ConntrackStream.Service.Hosting;

/// <summary>From settings to the parts' own options.</summary>
internal static class TapConfiguration
{
    internal static TapOptions ToTap(TapSettings settings, NetworkNamespace networkNamespace) => new()
    {
        Namespace = networkNamespace,
        ReceiveBufferBytes = settings.ReceiveBufferBytes,
        Updates = settings.JoinUpdates,
        Filter = settings.Filter.Build(),
        BatchDelay = settings.BatchDelay,
        Reconnect = new TapReconnectOptions
        {
            InitialDelay = settings.Reconnect.FirstDelay,
            MaxDelay = settings.Reconnect.MaxDelay,
            Factor = settings.Reconnect.Factor,
            Jitter = settings.Reconnect.Jitter,
            HealthyAfter = settings.Reconnect.ResetAfter,
        },
    };

    internal static PipelineOptions ToPipeline(ServiceOptions options, CheckpointedFlows? earlierIds, Func<MapOptions, MapOptions>? mapParts = null)
    {
        FlowFilter filter = options.Tap.Filter.Build();
        MapOptions? map = options.Map.Path is { } path ? ToMap(options.Map, path) : null;
        if (map is not null && mapParts is not null)
            map = mapParts(map);
        return new PipelineOptions
        {
            AuditInterval = options.Audit.Interval,
            AuditJitter = options.Audit.Jitter,
            ProbeCount = options.Audit.Probe,
            InterimInterval = options.Pipeline.InterimInterval > TimeSpan.Zero ? options.Pipeline.InterimInterval : null,
            SinkQueueBatches = options.Pipeline.SinkQueueBatches,
            DrainPatience = options.Shutdown.Timeout,
            Filter = filter.IsEmpty ? null : filter.Matches,
            EarlierIds = earlierIds is null ? null : earlierIds.TryTake,
            Map = map,
        };
    }

    internal static MapOptions ToMap(MapSettings settings, string path) => new()
    {
        Open = () => EbpfFlowMap.Open(path, settings.Mode == MapMode.Delete),
        Mode = settings.Mode,
        Grace = settings.Grace,
        ArmedWindow = settings.ArmedWindow,
        TcpPatience = settings.TcpPatience,
        UdpPatience = settings.UdpPatience,
        MaxDeletesPerCycle = settings.MaxDeletesPerCycle,
        UntrackedGroupSize = settings.UntrackedGroupSize,
    };
}
