/** What the API answers to whom, as docs/api.md and docs/security.md have it. */

/** Who asks the API what. Columns: who asks. What is let in and finds nothing is told 404. */
export const CALLERS = `
what                                  nobody  guest  root  view  edit  streams  sessions  config  archive  metrics  past  cluster  wrong  outside
GET /streams                          401     200    200   200   200   200      403       403     403      403      401   200      401    403
GET /streams/open                     401     200    200   200   200   200      403       403     403      403      401   200      401    403
PUT /streams/open                     401     403    200   403   200   200      403       403     403      403      401   401      401    403
DELETE /streams/none                  401     403    404   403   404   404      403       403     403      403      401   401      401    403
POST /streams/none/stop               401     403    404   403   404   404      403       403     403      403      401   401      401    403
POST /streams/none/inputs/0/select    401     403    404   403   404   404      403       403     403      403      401   401      401    403
PUT /streams/none/inputs/0/select     401     403    404   403   404   404      403       403     403      403      401   401      401    403
GET /sessions                         401     200    200   200   200   403      200       403     403      403      401   200      401    403
GET /sessions/none                    401     404    404   404   404   403      404       403     403      403      401   404      401    403
DELETE /sessions/none                 401     403    404   403   404   403      404       403     403      403      401   401      401    403
POST /sessions/reauth?name=none       401     403    204   403   204   403      204       403     403      403      401   401      401    403
GET /templates                        401     200    200   200   200   200      403       403     403      403      401   200      401    403
PUT /templates/pass                   401     403    200   403   200   200      403       403     403      403      401   401      401    403
DELETE /templates/none                401     403    404   403   404   404      403       403     403      403      401   401      401    403
GET /vods                             401     200    200   200   200   200      403       403     403      403      401   200      401    403
GET /vods/clips/storages/0/files      401     200    200   200   200   200      403       403     403      403      401   200      401    403
PUT /vods/openvod                     401     403    200   403   200   200      403       403     403      403      401   401      401    403
DELETE /vods/none                     401     403    404   403   404   404      403       403     403      403      401   401      401    403
GET /dvrs                             401     200    200   200   200   403      403       200     403      403      401   200      401    403
PUT /dvrs/disk                        401     403    200   403   200   403      403       200     403      403      401   401      401    403
DELETE /dvrs/none                     401     403    404   403   404   403      403       404     403      403      401   401      401    403
GET /auth_backends                    401     200    200   200   200   403      403       200     403      403      401   200      401    403
PUT /auth_backends/door               401     403    200   403   200   403      403       200     403      403      401   401      401    403
DELETE /auth_backends/none            401     403    404   403   404   403      403       404     403      403      401   401      401    403
GET /event_sinks                      401     200    200   200   200   403      403       200     403      403      401   200      401    403
GET /event_sinks/log/events           401     200    200   200   200   403      403       200     403      403      401   200      401    403
PUT /event_sinks/log                  401     403    200   403   200   403      403       200     403      403      401   401      401    403
DELETE /event_sinks/none              401     403    404   403   404   403      403       404     403      403      401   401      401    403
GET /events                           401     200    200   200   200   403      403       200     403      403      401   200      401    403
GET /config                           401     200    200   200   200   403      403       200     403      403      401   200      401    403
POST /config                          401     403    200   403   200   403      403       200     403      403      401   401      401    403
PUT /config                           401     403    200   403   200   403      403       200     403      403      401   401      401    403
GET /config/stats                     401     200    200   200   200   403      403       403     403      200      401   200      401    403
POST /config/reload                   401     403    204   403   204   403      403       204     403      403      401   401      401    403
GET /config/reload                    401     403    204   403   204   403      403       204     403      403      401   403      401    403
GET /openapi.json                     401     200    200   200   200   403      403       403     403      403      401   200      401    403
GET /monitoring/metrics               401     200    200   200   200   403      403       403     403      200      401   200      401    403
GET /monitoring/liveness              200     200    200   200   200   200      200       200     200      200      200   200      200    200
GET /monitoring/readiness             200     200    200   200   200   200      200       200     200      200      200   200      200    200
GET /streams/open/dvr/ranges          401     200    200   200   200   403      403       403     200      403      401   200      401    403
DELETE /streams/none/dvr/ranges       401     403    404   403   404   403      403       403     404      403      401   401      401    403
GET /streams/open/dvr/locks           401     200    200   200   200   403      403       403     200      403      401   200      401    403
POST /streams/none/dvr/locks          401     403    404   403   404   403      403       403     404      403      401   401      401    403
POST /streams/none/dvr/export?from=1700000000&duration=10&path=a.mp4         401     403    404   403   404   403      403       403     404      403      401   401      401    403
GET /episodes?name=open               401     200    200   200   200   403      403       403     200      403      401   200      401    403
DELETE /episodes/e?name=none          401     403    404   403   404   403      403       403     404      403      401   401      401    403
GET /dvr_export_jobs                  401     200    200   200   200   403      403       403     200      403      401   200      401    403
DELETE /dvr_export_jobs/none          401     403    404   403   404   403      403       403     404      403      401   401      401    403
GET /nothing                          401     404    404   404   404   404      404       404     404      404      401   404      401    403
`;

/** Bodies of those rows that have one. */
export const BODIES: Readonly<Record<string, object>> = {
  "PUT /streams/open": { title: "Open" },
  "PUT /templates/pass": { title: "Password" },
  "PUT /vods/openvod": { comment: "open" },
  "PUT /dvrs/disk": {},
  "PUT /auth_backends/door": {},
  "PUT /event_sinks/log": {},
  "POST /config": { config: "edit_auth a b;" },
  "PUT /config": { drain_timeout: 20 },
  "DELETE /streams/none/dvr/ranges": { from: 1_700_000_000, duration: 10 },
  "POST /streams/none/dvr/locks": { from: 1_700_000_000, duration: 10 },
};
