using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline;
using ConntrackStream.Pipeline.Checkpoint;
using ConntrackStream.Pipeline.Stages;
using ConntrackStream.Service.Options;
using ConntrackStream.Sinks.MapCleaning;
using ConntrackStream.Sinks.MapCleaning.Delete;
using ConntrackStream.Sinks.MapCleaning.Ebpf;

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

    internal static PipelineOptions ToPipeline(ServiceOptions options, CheckpointedFlows? earlierIds, IReadOnlyList<ILoopStage> stages)
    {
        FlowFilter filter = options.Tap.Filter.Build();
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
            Stages = stages,
        };
    }
}
