namespace ConntrackStream.Pipeline.Queues;

/// <summary>What becomes of changes that a sink is too slow for.</summary>
public enum WhenFull
{
    /// <summary>They are dropped and counted, and a gap reports them to the sink: the kernel cannot be asked to wait.</summary>
    Drop,

    /// <summary>
    /// The pipeline's loop waits, and with it every other sink: for a recording and for tests, of which nothing may be dropped, never
    /// beside the kernel.
    /// </summary>
    Block,
}

/// <summary>The queue before one sink.</summary>
/// <param name="WhenFull">See there.</param>
/// <param name="Batches">
/// Batches (of up to 256 changes) that wait at most; 0: as many as <see cref="PipelineOptions.SinkQueueBatches"/>. A sink with a spool of
/// its own takes each batch fast, and needs no more.
/// </param>
public readonly record struct SinkQueueOptions(WhenFull WhenFull = WhenFull.Drop, int Batches = 0);
