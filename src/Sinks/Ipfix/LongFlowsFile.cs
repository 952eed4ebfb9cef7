using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Files;

namespace ConntrackStream.Sinks.Ipfix;

/// <summary>
/// What was reported of long flows, in the state directory: read at the start and written at the end, so that a restart reports nothing
/// twice. Numbers have the machine's order: the file never leaves it.
/// </summary>
internal sealed class LongFlowsFile(StateDirectory state, string collector, ILogger logger)
{
    private const int MaxLength = 128 * 1024 * 1024;

    private static ReadOnlySpan<byte> Head => "CS-IPFIX"u8; // as long as a number, so that what follows is aligned

    /// <summary>Its name for a collector.</summary>
    internal static string NameOf(string collector) => $"ipfix-long-flows.{collector.Replace("://", "-", StringComparison.Ordinal)}";

    private string Name { get; } = NameOf(collector);

    /// <summary>Adds what the file has, where there is one.</summary>
    internal void ReadInto(LongFlows flows)
    {
        try
        {
            byte[]? content = state.Read(Name, MaxLength);
            if (content is null)
                return;
            if (!content.AsSpan().StartsWith(Head) || (content.Length - Head.Length) % Unsafe.SizeOf<Entry>() != 0)
                logger.LongFlowsNotRead(state.PathOf(Name), "it is damaged");
            else
                flows.Add(MemoryMarshal.Cast<byte, Entry>(content.AsSpan(Head.Length)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            logger.LongFlowsNotRead(state.PathOf(Name), e.Message);
        }
    }

    /// <summary>Replaces the file.</summary>
    internal void Write(LongFlows flows)
    {
        if (flows.Count == 0)
        {
            state.TryDelete(Name);
            return;
        }

        try
        {
            state.Write(Name, [.. Head, .. MemoryMarshal.AsBytes(flows.ToArray().AsSpan())]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            logger.LongFlowsNotKept(state.PathOf(Name), e.Message);
        }
    }

    internal readonly record struct Entry(FlowId Flow, LongFlows.Reported Reported);
}
