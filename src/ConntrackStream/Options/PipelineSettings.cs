using System.ComponentModel.DataAnnotations;
using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Service.Options;

/// <summary><c>Pipeline</c>: between the live view and the sinks.</summary>
public sealed class PipelineSettings : IOptionSection
{
    /// <summary>A flow that lasts longer is reported again (update, with counters) at each audit after this time. 0: never.</summary>
    [DurationRange("00:00:00", "7.00:00:00")]
    public TimeSpan InterimInterval { get; set; }

    /// <summary>Batches of up to 256 changes that a sink may lag behind before changes are dropped for it.</summary>
    [Range(2, 65536)]
    public int SinkQueueBatches { get; set; } = 512;
}
