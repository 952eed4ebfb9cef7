using ConntrackStream.Service.Output;

namespace ConntrackStream.Service.Tests.Cli;

/// <summary>A pipe whose reader has closed its end after so many bytes.</summary>
internal sealed class ClosedPipe(int room) : MemoryStream
{
    public override void Write(byte[] buffer, int offset, int count)
    {
        base.Write(buffer, offset, Math.Min(count, room - (int)Length));
        if (Length == room)
            throw new BrokenPipeException();
    }
}
