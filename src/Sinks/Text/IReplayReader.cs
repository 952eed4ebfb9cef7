namespace ConntrackStream.Sinks.Text;

/// <summary>A recorded stream, read once.</summary>
public interface IReplayReader
{
    /// <summary>Lines or packets read so far, bad ones included.</summary>
    long Lines { get; }

    long Events { get; }

    long Gaps { get; }

    /// <summary>Lines or packets that could not be read.</summary>
    long BadLines { get; }

    /// <summary>The first of them; without <see cref="ReplayOptions.SkipBad"/> the reading ended there.</summary>
    ReplayProblem? FirstProblem { get; }

    /// <summary>The recording in its order.</summary>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    IAsyncEnumerable<ReplayItem> ReadAsync(CancellationToken cancellationToken);
}
