using System.ComponentModel.DataAnnotations;
using ConntrackStream.Pipeline.Modules;

namespace SampleSink;

/// <summary>Section <c>Plugins:Destinations</c> of the configuration.</summary>
public sealed class DestinationOptions
{
    /// <summary>From one report to the next. Default 1 min.</summary>
    public TimeSpan Interval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Destinations in a report at most. Default 5.</summary>
    [Range(1, 100)]
    public int Top { get; set; } = 5;
}

/// <summary>Brings <see cref="DestinationCounts"/> into the service: with options, a metric, and a line of <c>doctor</c>.</summary>
public sealed class DestinationModule : StreamModule<DestinationOptions>
{
    public override string Section => "Destinations";

    protected override void Attach(DestinationOptions options, ModuleBuilder builder)
    {
        DestinationCounts? counts = null;
        builder.AddSink(() => counts = new DestinationCounts(options, builder.Logger, builder.Host.Time));
        builder.Instruments.Gauge(
            "destinations", "Destinations of new flows since the last report.", () => counts is null ? [] : [new(counts.Destinations)]);
        builder.AddCheck((_, _) => Task.FromResult<IEnumerable<CheckResult>>(
            [CheckResult.Ok("destinations", $"the {options.Top} busiest are logged every {options.Interval}")]));
    }
}
