using ConntrackStream.Sinks.Fleet.Spool;

namespace ConntrackStream.Sinks.Fleet;

/// <summary>A message in the window.</summary>
internal sealed class SentMessage(Message message)
{
    internal Message Message => message;

    /// <summary>Of the last attempt; never fails.</summary>
    internal Task<SendResult> Result { get; set; } = Task.FromResult(new SendResult(SendOutcome.Unanswered));

    internal bool IsStored => Result.IsCompletedSuccessfully && Result.Result.IsStored;
}
