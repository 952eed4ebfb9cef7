using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline;

namespace ConntrackStream.Service.Hosting;

/// <summary>Whether the pipeline's loop moves: it must answer a question, which an idle loop does at once and a stuck one never.</summary>
internal static class PipelineProgress
{
    internal static async Task<bool> AskAsync(FlowPipeline pipeline, CancellationToken cancellation)
    {
        if (pipeline.Completion.IsCompleted)
            return false;
        await pipeline.FindAsync(default(FlowTuple), cancellation).ConfigureAwait(false);
        return true;
    }
}
