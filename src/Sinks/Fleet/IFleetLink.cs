using ConntrackStream.Sinks.Fleet.Spool;

namespace ConntrackStream.Sinks.Fleet;

/// <summary>One connection of a publisher, used until it fails.</summary>
internal interface IFleetLink : IAsyncDisposable
{
    /// <summary>For messages: which server it is.</summary>
    string Server { get; }

    /// <summary>Cancelled when the connection is of no use any more.</summary>
    CancellationToken Lost { get; }

    /// <summary>Why it was lost, where that is known.</summary>
    string? Reason { get; }

    /// <summary>Why nothing is acknowledged at the moment, while the connection itself goes on trying; null: it works.</summary>
    string? Obstacle { get; }

    /// <summary>
    /// Sends a message, behind those before, with its id and its sequence numbers. Never throws; the lines are not used after its end.
    /// </summary>
    /// <param name="ended">Cancelled with the session: nothing is waited for any longer.</param>
    Task<SendResult> SendAsync(Message message, CancellationToken ended);

    /// <summary>Changed files are to be used: where nothing can be sent at the moment, the connection is lost. From any thread.</summary>
    void GiveWay();
}
