using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Pipeline;

// What only a recording needs.
public sealed partial class FlowPipeline
{
    /// <summary>
    /// Hands a gap of a recording to the sinks, behind everything written to the source before. Write
    /// nothing more to it until this is done.
    /// </summary>
    public async Task AddGapAsync(FlowGap gap, CancellationToken cancellationToken)
    {
        RecordedGap work = await _loop.InvokeAsync(
            () =>
            {
                RecordedGap work = new(gap, _source.Messages, _writer);
                _loop.Add(work);
                return work;
            },
            cancellationToken).ConfigureAwait(false);
        await work.Done.WaitAsync(cancellationToken).ConfigureAwait(false);
    }
}
