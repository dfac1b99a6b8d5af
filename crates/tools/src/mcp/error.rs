use std::{error::Error, io, process::ExitStatus, time::Duration};

use rmcp::{
    ServiceError, service::ClientInitializeError, transport::streamable_http_client::StreamableHttpError,
};

use super::limits::Limits;
use crate::offer::seconds;

/// Why a server's tools cannot be called, in words for people. What the server itself said is part of some: secrets
/// are redacted out, and it is cut, where it is shown.
#[derive(Debug, thiserror::Error)]
pub(super) enum McpError {
    #[error("The program {0} cannot be started: {1}.")]
    NotStarted(String, io::Error),
    #[error("The client for its address cannot be made: {0}.")]
    NoClient(String),
    #[error("It did not answer within {}.", seconds(*.0))]
    Silent(Duration),
    #[error("Nothing answers at its address.")]
    Unreachable,
    #[error("It refuses the key, or wants one.")]
    Unauthorised,
    #[error("It answers with the status {0}.")]
    Status(u16),
    #[error("It refuses: {0}")]
    Refused(String),
    #[error("It does not speak the protocol: {0}")]
    Garbage(String),
    #[error("It sent one message of more than {0} bytes.")]
    LongMessage(usize),
    #[error("It sent more than {0} bytes within a minute.")]
    Flood(usize),
    #[error("It ended the connection.")]
    Closed,
    #[error("It ended by itself ({0}).")]
    Ended(ExitStatus),
}

impl McpError {
    /// Why a connection did not come about.
    pub(super) fn of_start(error: &ClientInitializeError) -> Self {
        match error {
            ClientInitializeError::ConnectionClosed(_) => Self::Closed,
            ClientInitializeError::JsonRpcError(refusal) => Self::Refused(refusal.message.to_string()),
            ClientInitializeError::TransportError { error, .. } => Self::of_transport(error.error.as_ref()),
            ClientInitializeError::NoCompatibleProtocolVersion { .. } => {
                Self::Garbage("it speaks no version of it that is known here".to_owned())
            }
            // Their texts print whole messages, of any size and content.
            _ => Self::Garbage("its first answer has not the form that was asked for".to_owned()),
        }
    }

    /// Why a question was not answered.
    pub(super) fn of_question(error: &ServiceError, limits: &Limits) -> Self {
        match error {
            ServiceError::McpError(refusal) => Self::Refused(refusal.message.to_string()),
            ServiceError::TransportSend(error) => Self::of_transport(error.error.as_ref()),
            ServiceError::Timeout { .. } => Self::Silent(limits.start),
            ServiceError::UnexpectedResponse => {
                Self::Garbage("its answer has not the form that was asked for".to_owned())
            }
            _ => Self::Closed,
        }
    }

    /// Only kinds are told apart: the texts of these errors name the address.
    fn of_transport(error: &(dyn Error + 'static)) -> Self {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(error) = error.downcast_ref::<StreamableHttpError<reqwest::Error>>() {
                return match error {
                    StreamableHttpError::Client(error) => Self::of_http(error),
                    StreamableHttpError::HttpStatus(error) => Self::Status(error.status),
                    StreamableHttpError::AuthRequired(_) | StreamableHttpError::InsufficientScope(_) => {
                        Self::Unauthorised
                    }
                    StreamableHttpError::ResponseBodyTooLarge { max_size } => Self::LongMessage(*max_size),
                    StreamableHttpError::UnexpectedServerResponse(said) => Self::Garbage(said.to_string()),
                    StreamableHttpError::UnexpectedContentType(_) => {
                        Self::Garbage("its answers are neither JSON nor a stream of events".to_owned())
                    }
                    StreamableHttpError::Deserialize(_) | StreamableHttpError::Sse(_) => {
                        Self::Garbage("its answer cannot be read".to_owned())
                    }
                    _ => Self::Closed,
                };
            }
            if let Some(error) = error.downcast_ref::<reqwest::Error>() {
                return Self::of_http(error);
            }
            cause = error.source();
        }
        Self::Closed
    }

    fn of_http(error: &reqwest::Error) -> Self {
        match error.status().map(|status| status.as_u16()) {
            Some(401 | 403) => Self::Unauthorised,
            Some(status) => Self::Status(status),
            None if error.is_connect() => Self::Unreachable,
            None => Self::Closed,
        }
    }
}
