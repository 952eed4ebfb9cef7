namespace ConntrackStream.Pipeline.Stages;

/// <summary>The members of <see cref="StageContext"/> that the pipeline provides itself.</summary>
internal sealed record StagePorts
{
    public required Action FlushChanges { get; init; }

    public required Action RequestAudit { get; init; }

    public required Func<long> FailedRounds { get; init; }

    public required TimeSpan AuditInterval { get; init; }

    public required bool HasFilter { get; init; }

    public required TimeProvider Time { get; init; }
}
