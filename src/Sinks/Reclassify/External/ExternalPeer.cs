using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.Reclassify.External;

/// <summary>Who answers: a child process or the other end of a socket.</summary>
internal abstract class ExternalPeer : IAsyncDisposable
{
    /// <summary>Longest line that is read, in bytes, without its end.</summary>
    internal const int MaxLine = 4096;

    /// <summary>For the status, such as <c>running (pid 123)</c>.</summary>
    internal abstract string Text { get; }

    /// <summary>To write questions to.</summary>
    internal abstract Stream Questions { get; }

    /// <summary>To read answers from.</summary>
    internal abstract Stream Answers { get; }

    /// <summary>Ends it, whatever it does, and all that it has started.</summary>
    /// <returns>How it ended if it did so by itself, such as <c>ended with exit code 3</c>, or why it
    /// could not be ended; else null.</returns>
    internal abstract ValueTask<string?> EndAsync();

    /// <summary>What a peer writes, line by line. Half a line before its end is no line: stop when there is no more to fill in.</summary>
    internal static LineBuffer LinesOf(Stream stream) => new(stream, MaxLine, reportsAgain: true);

    public async ValueTask DisposeAsync() => await EndAsync().ConfigureAwait(false);
}
